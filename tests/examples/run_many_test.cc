// Ctrl-C stops the example run_many and the programs that it runs.
#include <chrono>
#include <csignal>
#include <string>

#include "gtest/gtest.h"

#include "asyncio/streams/stream_reader.h"
#include "asyncio/subprocess/process.h"
#include "asyncio/subprocess/subprocess_options.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"

namespace asyncio {
namespace {

using namespace std::chrono_literals;

TEST(RunManyTest, InterruptStopsEveryProgram) {
  run([]() -> Coroutine<> {
    Process example =
        co_await create_subprocess_exec({"examples/run_many", "--seconds=1000"},
                                        {.std_out = PIPE, .std_err = PIPE});
    std::string shown;
    while (shown.find("8 running") == std::string::npos) {
      const std::string more = co_await example.std_err().read(1000);
      EXPECT_NE(more, "") << shown;
      if (more.empty()) co_return;
      shown += more;
    }
    example.send_signal(SIGINT);
    // The pipes end when the last program that has them is gone.
    const Output output = co_await example.communicate("", {.timeout = 100s});
    EXPECT_EQ(output.std_out, "\nstopped: 0 of 100 done\n");
    EXPECT_EQ(example.returncode(), 130);
  });
}

}  // namespace
}  // namespace asyncio
