// STDOUT for std_err merges both in write order into std_out; DEVNULL discards
// output and gives empty input.
// The twin of 09_stderr_to_stdout.py: where Python gives None, there is no
// pipe.

#include <sstream>
#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

// The words, joined by blanks.
std::string words(const std::string& text) {
  std::istringstream in(text);
  std::string joined;
  for (std::string word; in >> word;) {
    if (!joined.empty()) joined += ' ';
    joined += word;
  }
  return joined;
}

Coroutine<> amain() {
  Process p = co_await create_subprocess_exec(
      {"sh", "-c", "echo 1; echo 2 >&2; echo 3; echo 4 >&2"},
      {.std_out = PIPE, .std_err = STDOUT});
  Output output = co_await p.communicate();
  print(words(output.std_out), "| err None", output.std_err.empty(),
        !p.has_std_err());
  p = co_await create_subprocess_exec({"sh", "-c", "echo out; echo err >&2"},
                                      {.std_out = DEVNULL, .std_err = PIPE});
  output = co_await p.communicate();
  print(!p.has_std_out() && output.std_out.empty(), words(output.std_err));
  p = co_await create_subprocess_exec("cat",
                                      {.std_in = DEVNULL, .std_out = PIPE});
  output = co_await p.communicate();
  print("empty stdin", output.std_out.size(), *p.returncode());
}

}  // namespace

int main() { run(amain()); }
