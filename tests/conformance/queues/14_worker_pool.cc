// The documented worker pool: N workers, join(), then cancelling the idle
// workers; every item handled exactly once.
// The twin of 14_worker_pool.py.

#include <chrono>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

template <class T>
std::string join(const std::vector<T>& items) {
  std::ostringstream line;
  for (const T& item : items) line << (line.tellp() > 0 ? " " : "") << item;
  return line.str();
}

Coroutine<> worker(Queue<int>& q, std::vector<int>& out) {
  while (true) {
    const int item = co_await q.get();
    co_await sleep(0s);
    out.push_back(item);
    q.task_done();
  }
}

Coroutine<> amain() {
  Queue<int> q;
  std::vector<int> out;
  for (int i = 0; i < 20; ++i) q.put_nowait(i);
  std::vector<Task<>> ws;
  for (int i = 0; i < 3; ++i) {
    ws.push_back(
        create_task(worker(q, out), {.name = "w" + std::to_string(i)}));
  }
  co_await q.join();
  print("handled", out.size(), "sum",
        std::accumulate(out.begin(), out.end(), 0), "size", q.qsize());
  for (Task<>& w : ws) w.cancel();
  auto r = co_await gather(return_exceptions, ws);
  std::vector<std::string> names;
  for (const Result<void>& x : r)
    names.push_back(exception_name(x.exception()));
  print(join(names));
}

}  // namespace

int main() { run(amain()); }
