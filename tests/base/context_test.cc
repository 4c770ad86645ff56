#include "asyncio/base/context.h"

#include <memory>
#include <string>
#include <thread>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"

namespace asyncio {
namespace {

template <class E, class F>
std::string thrown(F fn) {
  try {
    fn();
  } catch (const E& e) {
    return e.what();
  }
  return "";
}

TEST(ContextVarTest, HasAValueADefaultOrNeither) {
  const ContextVar<int> plain("plain");
  const ContextVar<std::string> with_default("with_default", "d");
  copy_context().run([&] {
    EXPECT_EQ(thrown<LookupError>([&] { plain.get(); }),
              "<ContextVar name='plain'>");
    EXPECT_EQ(plain.get(7), 7);
    EXPECT_EQ(with_default.get(), "d");
    EXPECT_EQ(with_default.get("f"), "f");
    plain.set(1);
    with_default.set("v");
    EXPECT_EQ(plain.get(), 1);
    EXPECT_EQ(plain.get(7), 1);
    EXPECT_EQ(with_default.get(), "v");
  });
  EXPECT_EQ(plain.name(), "plain");
}

TEST(ContextVarTest, ResetGoesBackToTheValueBefore) {
  const ContextVar<int> var("var", 0);
  Context().run([&] {
    Token first = var.set(1);
    Token second = var.set(2);
    var.reset(second);
    EXPECT_EQ(var.get(), 1);
    var.reset(first);
    EXPECT_EQ(var.get(), 0);
    EXPECT_FALSE(copy_context().contains(var));
  });
}

TEST(ContextVarTest, ResetRefusesTheWrongToken) {
  const ContextVar<int> var("var");
  const ContextVar<int> other("other");
  Context().run([&] {
    Token token = var.set(1);
    EXPECT_EQ(
        thrown<ValueError>([&] { other.reset(token); }),
        "<Token var=<ContextVar name='other'>> was created by a different "
        "ContextVar");
    Context().run([&] {
      EXPECT_EQ(
          thrown<ValueError>([&] { var.reset(token); }),
          "<Token var=<ContextVar name='var'>> was created in a different "
          "Context");
    });
    var.reset(token);
    EXPECT_EQ(thrown<RuntimeError>([&] { var.reset(token); }),
              "<Token used var=<ContextVar name='var'>> has already been used "
              "once");
  });
}

TEST(ContextVarTest, CopyIsTheSameVariableAndTheSameNameIsNot) {
  const ContextVar<int> var("var", 0);
  const ContextVar<int> copy = var;
  const ContextVar<int> namesake("var", 0);
  Context().run([&] {
    var.set(3);
    EXPECT_EQ(copy.get(), 3);
    EXPECT_EQ(namesake.get(), 0);
  });
}

TEST(ContextTest, KeepsWhatIsSetInsideIt) {
  const ContextVar<int> var("var", 0);
  const Context context;
  EXPECT_EQ(context.run([&](int n) { return var.set(n), var.get(); }, 5), 5);
  EXPECT_EQ(var.get(), 0);
  EXPECT_EQ(context.get(var), 5);
  EXPECT_TRUE(context.contains(var));
  EXPECT_EQ(context.run([&] { return var.get(); }), 5);
}

TEST(ContextVarTest, IsShownWithTheReprOfItsName) {
  const ContextVar<int> var("it's");
  EXPECT_EQ(thrown<LookupError>([&] { var.get(); }),
            "<ContextVar name=\"it's\">");
}

TEST(ContextTest, GetIgnoresTheDefault) {
  const ContextVar<int> var("var", 1);
  EXPECT_EQ(thrown<LookupError>([&] { Context().get(var); }),
            "<ContextVar name='var'>");
}

TEST(ContextTest, CopyIsIndependentAndEqualToNothingElse) {
  const ContextVar<int> var("var", 0);
  const Context a;
  a.run([&] { var.set(1); });
  const Context b = a.copy();
  b.run([&] { var.set(2); });
  EXPECT_EQ(a.get(var), 1);
  EXPECT_EQ(b.get(var), 2);
  EXPECT_FALSE(a == b);
  const Context same = a;
  EXPECT_TRUE(a == same);
  EXPECT_FALSE(copy_context() == copy_context());
}

TEST(ContextTest, IsEnteredByOneAtATime) {
  const Context context;
  const std::string text =
      "cannot enter context: the context is already entered";
  context.run([&] {
    EXPECT_EQ(thrown<RuntimeError>([&] { context.run([] {}); }), text);
    Context().run([&] {
      EXPECT_EQ(thrown<RuntimeError>([&] { context.run([] {}); }), text);
    });
  });
  EXPECT_NO_THROW(context.run([] {}));
}

TEST(ContextTest, IsEnteredWhileAnotherRunsInside) {
  const Context outer;
  const Context inner;
  internal::ContextSlot slot(outer.state());
  const internal::ContextScope task_or_callback(slot);
  EXPECT_THROW(outer.run([] {}), RuntimeError);
  inner.run([&] {
    EXPECT_THROW(outer.run([] {}), RuntimeError);
    Context().run([&] { EXPECT_THROW(outer.run([] {}), RuntimeError); });
    EXPECT_THROW(outer.run([] {}), RuntimeError);
  });
  EXPECT_THROW(outer.run([] {}), RuntimeError);
}

TEST(ContextTest, IsLeftByAnException) {
  const ContextVar<int> var("var", 0);
  const Context context;
  EXPECT_THROW(context.run([&] {
    var.set(1);
    throw ValueError("x");
  }),
               ValueError);
  EXPECT_EQ(var.get(), 0);
  EXPECT_NO_THROW(context.run([] {}));
}

TEST(ContextTest, EachThreadHasItsOwn) {
  const ContextVar<int> var("var", 0);
  std::thread([&] {
    var.set(1);
    EXPECT_EQ(var.get(), 1);
  }).join();
  EXPECT_EQ(var.get(), 0);
}

TEST(ContextTest, ValuesAreDestroyedWithTheLastContextThatHasThem) {
  const ContextVar<std::shared_ptr<int>> var("var");
  auto token = std::make_shared<int>();
  {
    const Context context;
    context.run([&] { var.set(token); });
    const Context copy = context.copy();
    EXPECT_EQ(token.use_count(), 2);  // one value, shared by both
  }
  EXPECT_EQ(token.use_count(), 1);
}

}  // namespace
}  // namespace asyncio
