// A child that exits without reading: communicate ignores the broken pipe;
// writing by hand throws BrokenPipeError or ConnectionResetError, and never
// kills us. The twin of 06_stdin_closed_early.py.

#include <string>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

Coroutine<> amain() {
  const std::string big(1 << 20, 'x');
  Process p = co_await create_subprocess_exec("true", {.std_in = PIPE});
  co_await p.communicate(big);
  print("communicate ok", *p.returncode());
  p = co_await create_subprocess_exec({"head", "-c", "1"},
                                      {.std_in = PIPE, .std_out = DEVNULL});
  p.std_in().write(big);
  const Result<> drained = co_await as_result(p.std_in().drain());
  if (drained) {
    print("no error");
  } else if (drained.get_if<BrokenPipeError>() != nullptr ||
             drained.get_if<ConnectionResetError>() != nullptr) {
    print("BrokenPipeError or ConnectionResetError");
  }
  print(co_await p.wait());
}

}  // namespace

int main() { run(amain()); }
