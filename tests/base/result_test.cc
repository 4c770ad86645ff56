#include "asyncio/base/result.h"

#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"

#include "asyncio/base/exceptions.h"

namespace asyncio {
namespace {

TEST(ResultTest, HoldsAValue) {
  Result<std::string> r = std::string("abc");
  EXPECT_TRUE(r);
  EXPECT_TRUE(r.has_value());
  EXPECT_FALSE(r.cancelled());
  EXPECT_EQ(r.value(), "abc");
  EXPECT_EQ(*r, "abc");
  EXPECT_EQ(r->size(), 3u);
  EXPECT_EQ(r.exception(), nullptr);
  EXPECT_NO_THROW(r.rethrow());
}

TEST(ResultTest, HoldsAnException) {
  const Result<int> r = std::make_exception_ptr(ValueError("bad"));
  EXPECT_FALSE(r);
  EXPECT_THROW(static_cast<void>(r.value()), ValueError);
  EXPECT_THROW(r.rethrow(), ValueError);
  ASSERT_NE(r.get_if<std::exception>(), nullptr);
  EXPECT_STREQ(r.get_if<std::exception>()->what(), "bad");
  EXPECT_EQ(r.get_if<TypeError>(), nullptr);
  EXPECT_FALSE(r.cancelled());
}

TEST(ResultTest, KnowsACancellation) {
  const Result<> r = std::make_exception_ptr(CancelledError("m"));
  EXPECT_TRUE(r.cancelled());
  EXPECT_THROW(r.value(), CancelledError);
}

TEST(ResultTest, MoveOnlyValuesAreMovedOut) {
  Result<std::unique_ptr<int>> r = std::make_unique<int>(3);
  std::unique_ptr<int> out = std::move(r).value();
  EXPECT_EQ(*out, 3);
  Result<std::unique_ptr<int>> s = std::make_unique<int>(4);
  EXPECT_EQ(*std::move(s).value(), 4);
}

TEST(ResultTest, ReferencesAreKept) {
  int n = 1;
  Result<int&> r = n;
  r.value() = 2;
  *r += 1;
  EXPECT_EQ(n, 3);
}

TEST(ResultTest, OfNothingIsAValueByDefault) {
  const Result<> r;
  EXPECT_TRUE(r);
  EXPECT_NO_THROW(r.value());
}

}  // namespace
}  // namespace asyncio
