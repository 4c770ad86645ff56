// An exception in the body cancels the children and is reported in the group,
// after the children's errors.
// The twin of 05_body_exception.py.

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

class KeyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

Coroutine<> child(std::string name, bool fail) {
  try {
    co_await sleep(10s);
  } catch (const CancelledError&) {
    print(name, "cancelled");
    if (fail) throw KeyError(name);
    throw;
  }
}

Coroutine<> amain() {
  Task<> t;
  try {
    co_await with(TaskGroup(), [&](TaskGroup& tg) -> Coroutine<> {
      t = tg.create_task(child("plain", false));
      tg.create_task(child("failing", true));
      co_await sleep(20ms);
      t.cancel();
      co_await sleep(0s);
      throw ValueError("body");
    });
  } catch (const ExceptionGroup& eg) {
    print(eg.what());
    for (const std::exception_ptr& e : eg.exceptions()) {
      print(exception_name(e), exception_message(e));
    }
  }
  print("plain", t.cancelled(), "cancelling", current_task().cancelling());
}

}  // namespace

int main() { run(amain()); }
