// 20 children at once: each task gets its own output and exit code, whatever
// the exit order. The twin of 11_many_children.py.

#include <string>
#include <utility>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

Coroutine<std::pair<std::string, int>> child(int i) {
  const std::string n = std::to_string(i);
  Process p = co_await create_subprocess_exec(
      {"sh", "-c", "echo child " + n + "; exit " + n}, {.std_out = PIPE});
  Output output = co_await p.communicate();
  co_return std::pair(output.std_out, *p.returncode());
}

Coroutine<> amain() {
  std::vector<Coroutine<std::pair<std::string, int>>> children;
  for (int i = 0; i < 20; ++i) children.push_back(child(i));
  const auto r = co_await gather(std::move(children));
  bool ok = true;
  std::string codes;
  for (int i = 0; i < 20; ++i) {
    ok = ok && r[i].first == "child " + std::to_string(i) + "\n";
    codes += " " + std::to_string(r[i].second);
  }
  print("outputs ok", ok);
  print("codes" + codes);
}

}  // namespace

int main() { run(amain()); }
