// Create_task(context=ctx) runs the task in that very context: sets are
// visible in ctx and in the next task using it.
// The program of 04_explicit_task_context.py, which prints
// 04_explicit_task_context.expected.

#include <chrono>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

const ContextVar<int> var("var", -1);

Coroutine<int> step(int v) {
  const int old = var.get();
  co_await sleep(0s);
  var.set(v);
  co_return old;
}

Coroutine<> amain() {
  const Context ctx = copy_context();
  Task<int> t1 = create_task(step(1), {.context = &ctx});
  const int old1 = co_await t1;
  print(old1, ctx.get(var), var.get());
  Task<int> t2 = create_task(step(2), {.context = &ctx});
  const int old2 = co_await t2;
  print(old2, ctx.get(var), "same object", t2.get_context() == ctx);
  Task<int> t3;
  Task<int> t4;
  co_await with(TaskGroup(), [&](TaskGroup& tg) {
    t3 = tg.create_task(step(3), {.context = &ctx});
    t4 = tg.create_task(step(4));
  });
  print(t3.result(), ctx.get(var), t4.result(), var.get());
  print("in ctx.run", ctx.run([] { return var.get(); }));
}

}  // namespace

int main() { run(amain()); }
