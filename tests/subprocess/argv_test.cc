#include "asyncio/subprocess/argv.h"

#include <filesystem>
#include <initializer_list>
#include <list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace asyncio {
namespace {

using ::testing::ElementsAre;

// As a function takes it.
std::vector<std::string> words(Argv argv) { return std::move(argv).words(); }

TEST(ArgvTest, OfASingleName) {
  EXPECT_THAT(words("true"), ElementsAre("true"));
  EXPECT_THAT(words(std::string("true")), ElementsAre("true"));
  EXPECT_THAT(words(std::string_view("true")), ElementsAre("true"));
  EXPECT_THAT(words(std::filesystem::path("/bin/true")),
              ElementsAre("/bin/true"));
}

TEST(ArgvTest, OfAListInBraces) {
  const std::string script = "exit 1";
  EXPECT_THAT(words({"sh", "-c", script}), ElementsAre("sh", "-c", "exit 1"));
  EXPECT_THAT(words({"ls", std::string_view("-l")}), ElementsAre("ls", "-l"));
  EXPECT_THAT(words({"true"}), ElementsAre("true"));
  EXPECT_THAT(words(Argv{"a", "b"}), ElementsAre("a", "b"));
  EXPECT_THAT(words(Argv({"a", "b"})), ElementsAre("a", "b"));
}

TEST(ArgvTest, OfARange) {
  std::vector<std::string> strings = {"ls", "-l"};
  EXPECT_THAT(words(strings), ElementsAre("ls", "-l"));
  EXPECT_THAT(words(std::list<const char*>{"ls", "-l"}),
              ElementsAre("ls", "-l"));
  const auto list = {"ls", "-l"};
  EXPECT_THAT(words(list), ElementsAre("ls", "-l"));
  EXPECT_EQ(words(std::move(strings))[0], "ls");
}

TEST(ArgvTest, KeepsWhatStringsHold) {
  EXPECT_THAT(words({"echo", "", "a b", "'"}),
              ElementsAre("echo", "", "a b", "'"));
}

}  // namespace
}  // namespace asyncio
