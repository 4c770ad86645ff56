#include "asyncio/base/internal/repr.h"

#include <string_view>

#include "gtest/gtest.h"

namespace asyncio::internal {
namespace {

TEST(ReprTest, HasSingleQuotesWhereTheyNeedNoEscape) {
  EXPECT_EQ(repr(""), "''");
  EXPECT_EQ(repr("bad"), "'bad'");
  EXPECT_EQ(repr("a \"b\""), "'a \"b\"'");
}

TEST(ReprTest, HasDoubleQuotesAroundASingleOne) {
  EXPECT_EQ(repr("it's"), "\"it's\"");
}

TEST(ReprTest, EscapesTheSingleQuoteWhereBothAreThere) {
  EXPECT_EQ(repr("it's \"b\""), "'it\\'s \"b\"'");
}

TEST(ReprTest, EscapesControlCharactersAndTheBackslash) {
  EXPECT_EQ(repr("\n\r\t\\"), "'\\n\\r\\t\\\\'");
  EXPECT_EQ(repr(std::string_view("\0\x1b\x7f", 3)), "'\\x00\\x1b\\x7f'");
}

TEST(ReprTest, LeavesUtf8AsItIs) {
  EXPECT_EQ(repr("gr\xc3\xbc\xc3\x9f"), "'gr\xc3\xbc\xc3\x9f'");
}

}  // namespace
}  // namespace asyncio::internal
