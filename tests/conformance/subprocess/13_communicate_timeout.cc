// The documented pattern: wait_for(communicate()) times out, then kill and
// communicate again without error.
// The twin of 13_communicate_timeout.py.

#include <chrono>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;
using namespace std::chrono_literals;

namespace {

Coroutine<> amain() {
  Process p = co_await create_subprocess_exec(
      {"sh", "-c", "echo early; exec sleep 30"}, {.std_out = PIPE});
  std::string line = co_await p.std_out().readline();
  line.pop_back();
  print(line);
  try {
    co_await wait_for(p.communicate(), 30ms);
  } catch (const TimeoutError&) {
    print("TimeoutError", !p.returncode());
  }
  p.kill();
  const Output output = co_await p.communicate();
  print(output.std_out.size(), *p.returncode());
}

}  // namespace

int main() { run(amain()); }
