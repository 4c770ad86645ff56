// A missing program is FileNotFoundError, a non-executable one PermissionError,
// a bad cwd FileNotFoundError; the loop stays usable. The twin of
// 10_start_errors.py.

#include <filesystem>
#include <fstream>
#include <stdlib.h>
#include <string>
#include <utility>

#include "asyncio/asyncio.h"
#include "asyncio/tests/conformance/print.h"

using namespace asyncio;

namespace {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char name[] = "/tmp/asyncio_start_errors_XXXXXX";
    path_ = mkdtemp(name);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

Coroutine<> try_to_start(Coroutine<Process> start) {
  const Result<Process> started = co_await as_result(std::move(start));
  if (started) {
    print("started");
  } else if (started.get_if<OSError>() != nullptr) {
    print(exception_name(started.exception()));
  } else {
    started.rethrow();
  }
}

Coroutine<> amain() {
  {
    const TemporaryDirectory d;
    const std::string plain = d.path() / "plain";
    std::ofstream(plain) << "not executable";
    std::filesystem::permissions(plain,
                                 std::filesystem::perms::owner_read |
                                     std::filesystem::perms::owner_write);
    co_await try_to_start(create_subprocess_exec("/no/such/program"));
    co_await try_to_start(
        create_subprocess_exec("no_such_program_here", {.std_in = PIPE}));
    co_await try_to_start(create_subprocess_exec(
        plain, {.std_in = PIPE, .std_out = PIPE, .std_err = PIPE}));
    co_await try_to_start(
        create_subprocess_exec("true", {.cwd = "/no/such/dir"}));
  }
  Process p = co_await create_subprocess_exec("true");
  print("next one works", co_await p.wait());
}

}  // namespace

int main() { run(amain()); }
