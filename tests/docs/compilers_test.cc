// The code in docs/compilers.md, run: what to write instead of what a compiler
// gets wrong.
#include <chrono>
#include <string>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/asyncio.h"
#include "asyncio/testing/testing.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

// Longer than what a std::string holds in place: a second destruction is fatal.
const std::string name = "Augusta Ada King, Countess of Lovelace";

struct Message {
  std::string to;
};

template <class F>
Coroutine<std::string> call_later(F fn) {
  co_await sleep(1s);
  co_return fn();
}

Coroutine<std::string> send(Message message) {
  co_await sleep(1s);
  co_return "to " + message.to;
}

Coroutine<std::string> fetch() {
  co_await sleep(1s);
  co_return name;
}

Coroutine<int> sum(std::vector<int> values) {
  int total = 0;
  for (const int value : values) total += value;
  co_return total;
}

Coroutine<bool> may_enter() {
  co_await sleep(1s);
  co_return true;
}

int opened = 0;

Coroutine<> open_door() {
  const bool ok = co_await may_enter();
  if (ok) ++opened;
}

Coroutine<std::string> shout(std::string text) {
  co_await sleep(1s);
  co_return text + "!";
}

Coroutine<> refuse() {
  throw ValueError("no");
  co_return;
}

Coroutine<std::string> named_lambda(std::string name) {
  auto greet = [name] { return "hello " + name; };
  std::string text = co_await call_later(greet);
  co_return text;
}

ASYNCIO_TEST(CompilersTest, ANamedLambda) {
  EXPECT_EQ(co_await named_lambda(name), "hello " + name);
}

ASYNCIO_TEST(CompilersTest, ANamedAggregate) {
  Message message{.to = name};
  std::string text = co_await send(message);
  EXPECT_EQ(text, "to " + name);
}

Coroutine<std::string> cached_or_fetched(bool cached) {
  std::string text;
  if (cached) {
    text = "cached";
  } else {
    text = co_await fetch();
  }
  co_return text;
}

ASYNCIO_TEST(CompilersTest, IfInPlaceOfAConditionalExpression) {
  EXPECT_EQ(co_await cached_or_fetched(true), "cached");
  EXPECT_EQ(co_await cached_or_fetched(false), name);
}

ASYNCIO_TEST(CompilersTest, AListInALineOfItsOwn) {
  std::vector<int> values = {1, 2};
  int total = co_await sum(values);
  EXPECT_EQ(total, 3);
}

ASYNCIO_TEST(CompilersTest, AVariableForTheCondition) {
  opened = 0;
  co_await open_door();
  EXPECT_EQ(opened, 1);
}

Coroutine<std::string> kept_lambda(std::string name) {
  auto say = [name]() -> Coroutine<std::string> {
    co_return co_await shout(name);
  };
  Task<std::string> task = create_task(say);
  co_return co_await task;
}

ASYNCIO_TEST(CompilersTest, ALambdaThatIsKept) {
  EXPECT_EQ(co_await kept_lambda(name), name + "!");
}

ASYNCIO_TEST(CompilersTest, ACoroutineThatThrowsWhenItIsAwaited) {
  Coroutine<> refusal = refuse();
  bool thrown = false;
  try {
    co_await refusal;
  } catch (const ValueError&) {
    thrown = true;
  }
  EXPECT_TRUE(thrown);
}

}  // namespace
