// Remove_done_callback removes every registration of that callback and returns
// how many; order of the rest is kept.
// The program of 07_remove_done_callback.py, which prints
// 07_remove_done_callback.expected.

#include <chrono>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

// A callback is named by what add_done_callback() gave, not by the function.
size_t remove_all(const Future<>& fut, const std::vector<CallbackId>& ids) {
  size_t removed = 0;
  for (const CallbackId id : ids) removed += fut.remove_done_callback(id);
  return removed;
}

Coroutine<> amain() {
  Future<> fut = create_future<>();
  auto tag1 = [](Future<>) { print("tag1"); };
  auto tag2 = [](Future<>) { print("tag2"); };
  auto tag3 = [](Future<>) { print("tag3"); };
  std::vector<CallbackId> ids1;
  std::vector<CallbackId> ids2;
  ids1.push_back(fut.add_done_callback(tag1));
  ids2.push_back(fut.add_done_callback(tag2));
  ids1.push_back(fut.add_done_callback(tag1));
  fut.add_done_callback(tag3);
  ids1.push_back(fut.add_done_callback(tag1));
  print("removed", remove_all(fut, ids1));
  print("removed again", remove_all(fut, ids1));
  fut.set_result();
  co_await sleep(0s);
  print("removed after done", remove_all(fut, ids2));
}

}  // namespace

int main() { run(amain()); }
