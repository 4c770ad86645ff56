// Stop() finishes the current batch; callbacks scheduled by that batch run
// only in the next run_forever.
// The program of 11_stop_semantics.py, which prints 11_stop_semantics.expected.

#include <memory>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {}  // namespace

int main() {
  std::unique_ptr<EventLoop> loop = new_event_loop();
  auto nested = [&] {
    print("nested");
    loop->stop();
  };
  auto first = [&] {
    print("first");
    loop->stop();
    loop->call_soon(nested);
  };
  loop->call_soon(first);
  loop->call_soon([] { print("second in same batch"); });
  loop->run_forever();
  print("returned, running", loop->is_running());
  loop->run_forever();
  print("returned again");
  loop->close();
}
