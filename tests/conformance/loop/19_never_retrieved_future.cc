// The same for a plain future with set_exception; a result or a cancellation
// is never reported.
// The program of 19_never_retrieved_future.py, which prints
// 19_never_retrieved_future.expected.

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

Coroutine<> amain() {
  EventLoop& loop = get_running_loop();
  loop.set_exception_handler([](EventLoop&, const ExceptionContext& ctx) {
    print("handler:", ctx.message, "|", exception_message(ctx.exception));
  });
  Future<int> f = create_future<int>();
  f.set_exception(RuntimeError("boom"));
  f = Future<int>();
  print("after first");
  f = create_future<int>();
  f.set_exception(RuntimeError("retrieved"));
  print(exception_message(f.exception()));
  f = Future<int>();
  f = create_future<int>();
  f.set_result(1);
  f = Future<int>();
  f = create_future<int>();
  f.cancel();
  f = Future<int>();
  print("end");
  co_return;
}

}  // namespace

int main() { run(amain()); }
