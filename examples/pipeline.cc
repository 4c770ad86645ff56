// Three programs connected, as a shell's "tr ' ' '\n' | sort | uniq -c" does
// it.
//
//   bazel run //examples:pipeline
//
// What is seen: how often each word of a text comes. What one program writes
// goes straight into the next through a pipe of the system; only the text and
// the result pass through this program, both at the same time.
#include <fcntl.h>
#include <iostream>
#include <string>
#include <system_error>
#include <unistd.h>

#include "asyncio/asyncio.h"

using asyncio::Coroutine;
using asyncio::Output;
using asyncio::PIPE;
using asyncio::Process;

// Descriptors that only the programs use. Each program has its own copies: as
// long as ours are open, the last one to read would wait for its end in vain.
class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_, O_CLOEXEC) != 0) {
      throw std::system_error(errno, std::generic_category(), "pipe");
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  int read_end() const { return ends_[0]; }
  int write_end() const { return ends_[1]; }

 private:
  int ends_[2];
};

Coroutine<> amain() {
  const std::string text = "the cat sat on the mat and the dog sat on the cat";
  Process split, sort, count;
  {
    Pipe words, sorted;
    split = co_await asyncio::create_subprocess_exec(
        {"tr", " ", "\n"}, {.std_in = PIPE, .std_out = words.write_end()});
    sort = co_await asyncio::create_subprocess_exec(
        "sort", {.std_in = words.read_end(), .std_out = sorted.write_end()});
    count = co_await asyncio::create_subprocess_exec(
        {"uniq", "-c"}, {.std_in = sorted.read_end(), .std_out = PIPE});
  }
  auto [fed, counted] = co_await asyncio::gather(split.communicate(text + "\n"),
                                                 count.communicate());
  std::cout << counted.std_out;
  const int code = co_await sort.wait();
  std::cout << "exit codes: " << *split.returncode() << " " << code << " "
            << *count.returncode() << std::endl;
}

int main() { asyncio::run(amain()); }
