// Wait(FIRST_COMPLETED) returns all tasks done by then, keeps the rest pending
// and running.
// The twin of 14_wait_first_completed.py.

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<int> job(int n, Event* gate) {
  if (gate != nullptr) co_await gate->wait();
  co_return n;
}

std::string names(const std::vector<Task<int>>& tasks) {
  std::vector<std::string> names;
  for (const Task<int>& task : tasks) names.push_back(task.get_name());
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : " ") + name;
  }
  return text.empty() ? "-" : text;
}

Coroutine<> amain() {
  Event first;
  Event last;
  Event* const gates[] = {&first, nullptr, nullptr, &last};
  std::vector<Task<int>> ts;
  for (int i = 0; i < 4; ++i) {
    const std::string name = "t" + std::to_string(i);
    ts.push_back(create_task(job(i, gates[i]), {.name = name}));
  }
  std::vector<Task<int>> pending = ts;
  std::vector<int> release = {0, 3};
  while (!pending.empty()) {
    auto result = co_await wait(pending, {.return_when = FIRST_COMPLETED});
    pending = result.pending;
    print("done", names(result.done), "pending", names(pending));
    if (!release.empty()) {
      gates[release.back()]->set();
      release.pop_back();
    }
  }
  print("results", ts[0].result(), ts[1].result(), ts[2].result(),
        ts[3].result());
}

}  // namespace

int main() { run(amain()); }
