// Wait(FIRST_EXCEPTION) returns at the first failure; a cancelled task does not
// count as a failure.
// The twin of 15_wait_first_exception.py.

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> bad(Duration delay) {
  co_await sleep(delay);
  throw ValueError("v");
}

std::string names(const std::vector<Task<>>& tasks) {
  std::vector<std::string> names;
  for (const Task<>& task : tasks) names.push_back(task.get_name());
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : " ") + name;
  }
  return text.empty() ? "-" : text;
}

Coroutine<> amain() {
  Task<> a = create_task(sleep(10s), {.name = "a"});
  Task<> b = create_task(bad(50ms), {.name = "b"});
  Task<> c = create_task(sleep(10s), {.name = "c"});
  get_running_loop().call_later(20ms, [c] { c.cancel(); });
  const std::vector<Task<>> all = {a, b, c};
  auto first = co_await wait(all, {.return_when = FIRST_EXCEPTION});
  print("done", names(first.done), "pending", names(first.pending));
  print("c cancelled", c.cancelled(), "b", exception_name(b.exception()));
  a.cancel();
  const std::vector<Task<>> rest = {a, c};
  auto second = co_await wait(rest, {.return_when = FIRST_EXCEPTION});
  print("done", names(second.done), "pending", names(second.pending));
}

}  // namespace

int main() { run(amain()); }
