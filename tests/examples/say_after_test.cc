// How long the two say_after examples take, by the times that they print.
#include <cstdio>
#include <string>

#include "gtest/gtest.h"

namespace {

std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  for (int c; (c = std::fgetc(pipe)) != EOF;) output += static_cast<char>(c);
  EXPECT_EQ(pclose(pipe), 0) << command;
  return output;
}

// The seconds from "started at HH:MM:SS" to "finished at HH:MM:SS"; -1 where
// one of them is missing.
int seconds_taken(const std::string& output) {
  auto time_after = [&](const char* label) {
    const size_t at = output.find(label);
    int h = 0, m = 0, s = 0;
    if (at == std::string::npos) return -1;
    const std::string format = std::string(label) + " %d:%d:%d";
    if (std::sscanf(output.c_str() + at, format.c_str(), &h, &m, &s) != 3) {
      return -1;
    }
    return (h * 60 + m) * 60 + s;
  };
  const int started = time_after("started at");
  const int finished = time_after("finished at");
  if (started < 0 || finished < 0) return -1;
  constexpr int kDay = 24 * 60 * 60;
  return (finished - started + kDay) % kDay;  // midnight may lie between
}

// A zone without summer time: its clock is never set.
std::string virtually(const std::string& program) {
  return output_of("TZ=UTC " + program + " --virtual");
}

TEST(SayAfterTest, OneAfterTheOtherTakesThirtySeconds) {
  const std::string output = virtually("examples/say_after_sequential");
  EXPECT_EQ(seconds_taken(output), 30) << output;
}

TEST(SayAfterTest, AsTasksTheyTakeTwentySeconds) {
  const std::string output = virtually("examples/say_after_concurrent");
  EXPECT_EQ(seconds_taken(output), 20) << output;
}

TEST(SayAfterTest, TheScaleShortensTheSeconds) {
  const std::string output =
      virtually("examples/say_after_concurrent --scale=0.5");
  EXPECT_EQ(seconds_taken(output), 10) << output;
}

TEST(SayAfterTest, ATimeOnEachSideOfMidnight) {
  EXPECT_EQ(seconds_taken("started at 23:59:50\nfinished at 00:00:20\n"), 30);
  EXPECT_EQ(seconds_taken("started at 23:59:50\n"), -1);
}

}  // namespace
