// A cancellation that meets a gather whose children are all done, before it was
// told, ends the await of it all the same; uncancel() takes it back.
// The twin of 60_gather_refuses_cancellation.py.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> wait_for(Task<> child) {
  auto everything = gather(return_exceptions, child);
  try {
    co_await everything;
    print("went on");
  } catch (const CancelledError& e) {
    print("cancelled", e.message(), everything.done(), everything.cancelled());
  }
}

Coroutine<> amain() {
  for (const bool take_back : {false, true}) {
    Task<> child = create_task(sleep(0s));
    Task<> waiter;
    auto meddle = [&] {
      print("cancel", waiter.cancel("now"));
      if (take_back) print("uncancel", waiter.uncancel());
    };
    child.add_done_callback(meddle);
    waiter = create_task(::wait_for(child));
    co_await waiter;
    print(waiter.cancelling());
  }
}

}  // namespace

int main() { run(amain()); }
