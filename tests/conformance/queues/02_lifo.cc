// LifoQueue returns the newest item first, also with interleaved gets and with
// maxsize.
// The twin of 02_lifo.py.

#include <sstream>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

template <class T>
std::string join(const std::vector<T>& items) {
  std::ostringstream line;
  for (const T& item : items) line << (line.tellp() > 0 ? " " : "") << item;
  return line.str();
}

Coroutine<> amain() {
  LifoQueue<int> q(3);
  for (int i : {1, 3, 2}) co_await q.put(i);
  const int latest = q.get_nowait();
  print(latest, "full", q.full());
  q.put_nowait(9);
  try {
    q.put_nowait(10);
  } catch (const QueueFull&) {
    print("QueueFull");
  }
  std::vector<int> out;
  while (!q.empty()) out.push_back(co_await q.get());
  print(join(out));
}

}  // namespace

int main() { run(amain()); }
