#include "asyncio/task/internal/function_name.h"

#include <source_location>
#include <string>

#include "gtest/gtest.h"

namespace asyncio::internal {
namespace {

TEST(FunctionNameTest, OfAPlainFunction) {
  EXPECT_EQ(function_name("int main()"), "main");
  EXPECT_EQ(function_name("asyncio::Coroutine<int> app::fetch(int)"),
            "app::fetch");
  EXPECT_EQ(function_name("Coroutine<std::pair<int, int> > f(A<B, C>, int)"),
            "f");
}

TEST(FunctionNameTest, OfAMember) {
  EXPECT_EQ(function_name(
                "virtual asyncio::Coroutine<> app::Server::serve(int) const"),
            "app::Server::serve");
  EXPECT_EQ(function_name("void F::operator()(int) const"), "F::operator()");
}

TEST(FunctionNameTest, OfATemplate) {
  EXPECT_EQ(function_name("asyncio::Coroutine<T> g(T) [with T = int]"), "g");
  EXPECT_EQ(function_name("asyncio::Coroutine<T> g(T) [T = int]"), "g");
}

TEST(FunctionNameTest, OfTheLibrarysOwnBody) {
  EXPECT_EQ(function_name("asyncio::Coroutine<T> "
                          "asyncio::internal::run_wait_for(A) [with T = int]"),
            "wait_for");
  EXPECT_EQ(function_name("asyncio::Coroutine<> app::internal::run_all()"),
            "app::internal::run_all");
}

TEST(FunctionNameTest, OfTheLibrarysCoroutineAroundACallable) {
  const std::string gcc =
      "asyncio::Coroutine<typename AwaitValueOf<A>::type> "
      "asyncio::internal::await_call(F) [with F = main()::<lambda(int, char)>; "
      "typename AwaitValueOf<A>::type = void]";
  const std::string clang =
      "Coroutine<AwaitValue<std::invoke_result_t<F &>>> "
      "asyncio::internal::await_call(F) [F = (lambda at main.cc:3:4)]";
  EXPECT_EQ(function_name(gcc), "main()::<lambda(int, char)>");
  EXPECT_EQ(function_name(clang), "(lambda at main.cc:3:4)");
  EXPECT_TRUE(is_wrapper(gcc));
  EXPECT_TRUE(is_wrapper(clang));
}

TEST(FunctionNameTest, OfTheLibrarysCoroutineAroundAnAwaitable) {
  auto around = [](const std::string& type) {
    return "asyncio::Coroutine<T> asyncio::internal::await_object(A) [with A = " +
           type + "; T = int]";
  };
  EXPECT_EQ(function_name(around("asyncio::Sleep")), "Sleep");
  EXPECT_EQ(function_name(
                around("asyncio::internal::AcquireRequest<asyncio::Lock, bool>")),
            "AcquireRequest");
  EXPECT_EQ(function_name(around("app::Job<int, char>")), "app::Job<int, char>");
  EXPECT_TRUE(is_wrapper(around("app::Job")));
  EXPECT_FALSE(is_wrapper("asyncio::Coroutine<> app::await_object(int)"));
}

TEST(FunctionNameTest, InAnAnonymousNamespace) {
  EXPECT_EQ(
      function_name("asyncio::Coroutine<> {anonymous}::work(std::string)"),
      "{anonymous}::work");
  EXPECT_EQ(
      function_name("asyncio::Coroutine<> (anonymous namespace)::work(int)"),
      "(anonymous namespace)::work");
}

TEST(FunctionNameTest, OfALambda) {
  EXPECT_EQ(function_name("main()::<lambda(int)>"), "main()::<lambda(int)>");
  EXPECT_EQ(function_name("main()::<lambda(int)>::operator()(Frame*)"),
            "main()::<lambda(int)>");
  EXPECT_EQ(
      function_name("auto main()::(anonymous class)::operator()(int) const"),
      "main()::(anonymous class)::operator()");
}

TEST(FunctionNameTest, OfWhatTheCompilerSays) {
  EXPECT_EQ(function_name(std::source_location::current().function_name())
                    .find("TestBody") != std::string::npos,
            true);
}

TEST(FunctionNameTest, OfNothing) { EXPECT_EQ(function_name(""), ""); }

}  // namespace
}  // namespace asyncio::internal
