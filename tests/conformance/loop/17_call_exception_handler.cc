// Call_exception_handler passes its context to the custom handler unchanged.
// The program of 17_call_exception_handler.py, which prints
// 17_call_exception_handler.expected.

#include <exception>
#include <utility>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

Coroutine<> amain() {
  EventLoop& loop = get_running_loop();
  std::vector<std::pair<bool, ExceptionContext>> seen;
  loop.set_exception_handler([&](EventLoop& l, const ExceptionContext& ctx) {
    seen.emplace_back(&l == &loop, ctx);
  });
  const std::exception_ptr err = std::make_exception_ptr(ValueError("own"));
  loop.call_exception_handler(ExceptionContext("my message", err));
  loop.call_exception_handler(ExceptionContext("no exception"));
  for (const auto& [same, ctx] : seen) {
    print(same, ctx.message, ctx.exception != nullptr, ctx.exception == err);
  }
  loop.set_exception_handler(nullptr);
  co_return;
}

}  // namespace

int main() { run(amain()); }
