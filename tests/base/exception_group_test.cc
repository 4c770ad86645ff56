#include "asyncio/base/exception_group.h"

#include <exception>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"

namespace asyncio {
namespace {

template <class E, class... Args>
std::exception_ptr ptr(Args&&... args) {
  return std::make_exception_ptr(E(std::forward<Args>(args)...));
}

// "message[ValueError, inner[...]]"
std::string shape(const BaseExceptionGroup& group) {
  std::string text = group.message() + "[";
  for (const std::exception_ptr& e : group.exceptions()) {
    if (text.back() != '[') text += ", ";
    const auto* inner = exception_cast<BaseExceptionGroup>(e);
    text += inner != nullptr ? shape(*inner) : exception_name(e);
  }
  return text + "]";
}

ExceptionGroup nested() {
  return ExceptionGroup(
      "outer", {ptr<ValueError>("1"),
                ptr<ExceptionGroup>(
                    "inner", std::vector<std::exception_ptr>{
                                 ptr<TypeError>("2"), ptr<ValueError>("3")})});
}

TEST(ExceptionGroupTest, TellsHowManyThereAre) {
  EXPECT_STREQ(nested().what(), "outer (2 sub-exceptions)");
  EXPECT_STREQ(ExceptionGroup("one", {ptr<ValueError>("x")}).what(),
               "one (1 sub-exception)");
  EXPECT_EQ(nested().message(), "outer");
  EXPECT_EQ(nested().exceptions().size(), 2u);
}

TEST(ExceptionGroupTest, ReprShowsTheWholeTree) {
  EXPECT_EQ(exception_repr(nested().as_exception()),
            "ExceptionGroup('outer', [ValueError('1'), ExceptionGroup('inner', "
            "[TypeError('2'), ValueError('3')])])");
  EXPECT_EQ(exception_repr(ptr<BaseExceptionGroup>(
                "it's", std::vector{ptr<CancelledError>()})),
            "BaseExceptionGroup(\"it's\", [CancelledError()])");
}

TEST(ExceptionGroupTest, IsCaughtAsAStdException) {
  try {
    throw nested();
  } catch (const std::exception& e) {
    EXPECT_STREQ(e.what(), "outer (2 sub-exceptions)");
  }
}

TEST(ExceptionGroupTest, SplitKeepsTheTree) {
  auto [values, rest] = nested().split<ValueError>();
  ASSERT_TRUE(values && rest);
  EXPECT_EQ(shape(*values), "outer[ValueError, inner[ValueError]]");
  EXPECT_EQ(shape(*rest), "outer[inner[TypeError]]");
  auto [none, all] = nested().split<RuntimeError>();
  EXPECT_FALSE(none);
  EXPECT_EQ(shape(*all), shape(nested()));
  EXPECT_EQ(shape(*nested().subgroup<TypeError>()), "outer[inner[TypeError]]");
  EXPECT_FALSE(nested().subgroup<RuntimeError>());
}

TEST(ExceptionGroupTest, GroupThatMatchesItselfIsTakenWhole) {
  EXPECT_EQ(shape(*nested().subgroup<ExceptionGroup>()), shape(nested()));
  EXPECT_EQ(shape(*nested().subgroup<BaseExceptionGroup>()), shape(nested()));
  auto [all, none] = nested().split<std::exception>();
  EXPECT_EQ(shape(*all), shape(nested()));
  EXPECT_FALSE(none);
}

TEST(ExceptionGroupTest, SplitOfABaseGroupNarrowsWhatItCan) {
  const BaseExceptionGroup group(
      "g", {ptr<ValueError>("x"), ptr<CancelledError>("c")});
  auto [cancelled, rest] = group.split<CancelledError>();
  ASSERT_TRUE(cancelled && rest);
  EXPECT_EQ(exception_name(cancelled->as_exception()), "BaseExceptionGroup");
  EXPECT_EQ(exception_name(rest->as_exception()), "ExceptionGroup");
}

TEST(ExceptionGroupTest, RefusesWhatPythonRefuses) {
  auto text = [](auto make) -> std::string {
    try {
      make();
    } catch (const std::exception& e) {
      return exception_name(e) + ": " + e.what();
    }
    return "";
  };
  EXPECT_EQ(text([] { ExceptionGroup("x", {}); }),
            "ValueError: second argument (exceptions) must be a non-empty "
            "sequence");
  EXPECT_EQ(text([] { BaseExceptionGroup("x", {nullptr}); }),
            "ValueError: Item 0 of second argument (exceptions) is not an "
            "exception");
  EXPECT_EQ(text([] { ExceptionGroup("x", {ptr<KeyboardInterrupt>()}); }),
            "TypeError: Cannot nest BaseExceptions in an ExceptionGroup");
}

TEST(ExceptionGroupTest, MakePicksTheClass) {
  EXPECT_EQ(exception_name(make_exception_group("g", {ptr<ValueError>("x")})),
            "ExceptionGroup");
  EXPECT_EQ(exception_name(make_exception_group(
                "g", {ptr<ValueError>("x"), ptr<SystemExit>(1)})),
            "BaseExceptionGroup");
  EXPECT_EQ(exception_message(make_exception_group("g", {ptr<SystemExit>(1)})),
            "g (1 sub-exception)");
}

}  // namespace
}  // namespace asyncio
