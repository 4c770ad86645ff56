// communicate(input) feeds stdin and closes it; empty and missing input still
// close it, so that cat ends.
// The twin of 03_communicate_input.py.

#include <optional>
#include <string>
#include <vector>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

Coroutine<> amain() {
  const std::vector<std::optional<std::string>> inputs = {"some data", "",
                                                          std::nullopt};
  for (const std::optional<std::string>& data : inputs) {
    Process p = co_await create_subprocess_exec(
        "cat", {.std_in = PIPE, .std_out = PIPE});
    Output output;
    if (data) {
      output = co_await p.communicate(*data);
    } else {
      output = co_await p.communicate();
    }
    print(output.std_out.size(), *p.returncode(),
          output.std_out == data.value_or(""));
  }
}

}  // namespace

int main() { run(amain()); }
