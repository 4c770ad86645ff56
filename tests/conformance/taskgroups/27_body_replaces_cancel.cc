// The body turning the parent's cancellation into another exception: group with
// that exception, no CancelledError.
// The twin of 27_body_replaces_cancel.py.

#include <chrono>
#include <stdexcept>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

class MyExc : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

Coroutine<> runner() {
  co_await with(TaskGroup(), []() -> Coroutine<> {
    try {
      co_await sleep(10s);
    } catch (const CancelledError&) {
      throw MyExc("instead");
    }
  });
}

Coroutine<> amain() {
  Task<> r = create_task(runner());
  co_await sleep(10ms);
  r.cancel();
  try {
    co_await r;
  } catch (const ExceptionGroup& eg) {
    print(eg.what(), "|", exception_name(eg.exceptions()[0]));
  }
  print("task cancelled", r.cancelled(), "cancelling", r.cancelling());
}

}  // namespace

int main() { run(amain()); }
