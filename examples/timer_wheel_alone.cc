// The timing wheel without an event loop: leases over a clock of one's own.
//
//   bazel run //examples:timer_wheel_alone
//
// What is seen: leases run out in the order of their deadlines, one that was
// renewed later than the others, one that was given back never. The clock is a
// variable here, so the output is the same each time.

#include <chrono>
#include <cstdio>
#include <string>
#include <utility>

#include "asyncio/base/time.h"
#include "asyncio/timers/timer_wheel.h"

using namespace std::chrono_literals;

// The timer is part of the lease: the wheel allocates nothing for it.
struct Lease : asyncio::TimerNode {
  explicit Lease(std::string n) : name(std::move(n)) {}
  std::string name;
};

int main() {
  asyncio::TimePoint now;
  asyncio::TimerWheel wheel(now);

  Lease printer("printer"), scanner("scanner"), plotter("plotter");
  Lease archive("archive");
  wheel.schedule(printer, now + 10s);
  wheel.schedule(scanner, now + 10s);
  wheel.schedule(plotter, now + 5s);
  wheel.schedule(archive, now + 24h * 365 * 100);

  auto tell = [&](asyncio::TimerNode& timer) {
    std::printf("%gs: the lease of the %s is over\n",
                timer.deadline().seconds(),
                static_cast<Lease&>(timer).name.c_str());
  };

  now += 4s;
  wheel.advance(now, tell);            // nothing is due
  wheel.schedule(printer, now + 10s);  // renewed: until 14 s
  wheel.cancel(plotter);               // given back

  // As an event loop would: sleep until the next deadline, then advance.
  while (now < asyncio::TimePoint() + 1min) {
    now = wheel.next_wakeup();
    wheel.advance(now, tell);
  }
  std::printf("%g years later, %zu armed\n",
              now.seconds() / (365.0 * 24 * 3600), wheel.size());
}
