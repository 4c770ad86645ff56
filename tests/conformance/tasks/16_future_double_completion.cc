// Completing a done or cancelled future raises InvalidStateError and leaves
// the first outcome; cancel() of a done future returns False.
// The program of 16_future_double_completion.py, which prints
// 16_future_double_completion.expected.

#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

Coroutine<> amain() {
  Future<std::string> f = create_future<std::string>();
  f.set_result("first");
  try {
    f.set_result("second");
  } catch (const InvalidStateError& e) {
    print("set_result", exception_name(e));
  }
  try {
    f.set_exception(ValueError(""));
  } catch (const InvalidStateError& e) {
    print("set_exception", exception_name(e));
  }
  print("cancel", f.cancel(), "cancelled", f.cancelled(), "result", f.result());
  Future<int> c = create_future<int>();
  c.cancel();
  try {
    c.set_result(1);
  } catch (const InvalidStateError& e) {
    print("after cancel", exception_name(e));
  }
  Future<int> e1 = create_future<int>();
  e1.set_exception(ValueError("v"));
  try {
    e1.set_result(1);
  } catch (const InvalidStateError& e) {
    print("after exception", exception_name(e));
  }
  print("kept", exception_message(e1.exception()));
  co_return;
}

}  // namespace

int main() { run(amain()); }
