// A child ended by a signal has a negative returncode; kill, terminate and
// send_signal.
// The twin of 05_signals_returncode.py.

#include <csignal>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

std::string strip(std::string line) {
  while (!line.empty() && line.back() == '\n') line.pop_back();
  return line;
}

Coroutine<> amain() {
  Process p = co_await create_subprocess_exec({"sleep", "30"});
  p.kill();
  const int code = co_await p.wait();
  print(code, *p.returncode());
  p = co_await create_subprocess_exec({"sleep", "30"});
  p.terminate();
  print(co_await p.wait());
  p = co_await create_subprocess_exec({"sleep", "30"});
  p.send_signal(SIGUSR1);
  print(co_await p.wait() == -SIGUSR1);
  p = co_await create_subprocess_exec(
      {"sh", "-c",
       "trap 'echo trapped; exit 5' TERM; echo ready; while :; do sleep 0.02; "
       "done"},
      {.std_out = PIPE});
  print(strip(co_await p.std_out().readline()));
  p.terminate();
  const std::string line = co_await p.std_out().readline();
  print(strip(line), co_await p.wait());
}

}  // namespace

int main() { run(amain()); }
