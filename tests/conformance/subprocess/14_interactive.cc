// Dialogue over stdin and stdout, line by line; closing stdin gives the child
// the end of its input; wait_closed() of stdin works. The twin of
// 14_interactive.py.

#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

Coroutine<std::string> line_of(StreamReader& reader) {
  std::string line = co_await reader.readline();
  if (!line.empty()) line.pop_back();
  co_return line;
}

Coroutine<> amain() {
  Process p = co_await create_subprocess_exec(
      {"sh", "-c", "while read x; do echo got $x; done; echo eof; exit 2"},
      {.std_in = PIPE, .std_out = PIPE});
  for (const std::string word : {"one", "two", "three"}) {
    p.std_in().write(word + "\n");
    co_await p.std_in().drain();
    print(co_await line_of(p.std_out()));
  }
  print("running", !p.returncode());
  p.std_in().close();
  co_await p.std_in().wait_closed();
  print(co_await line_of(p.std_out()));
  const std::string rest = co_await p.std_out().read();
  print("stdout eof", rest.size(), p.std_out().at_eof());
  print(co_await p.wait());
}

}  // namespace

int main() { run(amain()); }
