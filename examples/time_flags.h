// How time passes in an example, by flags on its command line:
//
//   bazel run //examples:hello                   as the example says
//   bazel run //examples:hello -- --scale=0.1    a second takes a tenth of one
//   bazel run //examples:hello -- --virtual      a second takes no time at all
//
// With --virtual the example runs on an asyncio::VirtualClock, which jumps
// wherever a program would sleep; the printed time of day runs along with it,
// from the real time at the start.
#ifndef ASYNCIO_EXAMPLES_TIME_FLAGS_H_
#define ASYNCIO_EXAMPLES_TIME_FLAGS_H_

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>
#include <string_view>

#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/runner.h"
#include "asyncio/testing/virtual_clock.h"

namespace examples {

class TimeFlags {
 public:
  // Ends the program where it does not know an argument.
  TimeFlags(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
      const std::string_view arg = argv[i];
      if (arg.starts_with(kScale)) {
        const double scale = std::atof(argv[i] + kScale.size());
        second = std::chrono::duration<double>(scale);
      } else if (arg == "--virtual") {
        loop_factory = [] {
          return asyncio::new_event_loop({.clock = &clock});
        };
      } else {
        std::cerr << "usage: " << argv[0] << " [--scale=FACTOR] [--virtual]\n";
        std::exit(2);
      }
    }
  }

  // How long a second of the example takes.
  asyncio::Duration second = std::chrono::seconds(1);
  // For RunOptions: null, or what makes a loop with a virtual clock.
  asyncio::LoopFactory loop_factory = nullptr;

  // The local time as HH:MM:SS.
  std::string time_of_day() const {
    using std::chrono::system_clock;
    static const system_clock::time_point start = system_clock::now();
    const system_clock::time_point now =
        loop_factory == nullptr ? system_clock::now()
                                : start + clock.elapsed().to_chrono();
    const std::time_t seconds = system_clock::to_time_t(now);
    std::tm local = {};
    localtime_r(&seconds, &local);
    char text[sizeof "HH:MM:SS"];
    std::strftime(text, sizeof text, "%H:%M:%S", &local);
    return text;
  }

 private:
  static constexpr std::string_view kScale = "--scale=";
  static inline asyncio::VirtualClock clock;
};

}  // namespace examples

#endif  // ASYNCIO_EXAMPLES_TIME_FLAGS_H_
