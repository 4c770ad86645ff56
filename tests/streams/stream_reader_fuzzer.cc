// A fuzzer for StreamReader: the input chooses the limit, the pieces in which
// the bytes come, the reads, and which of them are cancelled while they wait. A
// plain model, CPython's streams.py line by line, is given the same and judges.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/streams/separators.h"
#include "asyncio/streams/stream_reader.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/runner.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"
#include "asyncio/tests/streams/scripted_reader.h"
#include "asyncio/tests/streams/stream_test_util.h"

namespace asyncio {
namespace {

// The input as numbers, then zeros.
class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), end_(data + size) {}
  bool exhausted() const { return data_ == end_; }
  size_t below(size_t n) { return exhausted() ? 0 : *data_++ % n; }

 private:
  const uint8_t* data_;
  const uint8_t* end_;
};

// Bytes of which few are different, so that separators are often there in part.
std::string piece(Bytes& in) {
  std::string text;
  const size_t size = 1 + in.below(9);
  for (size_t i = 0; i < size; ++i) text += "ab\n;"[in.below(4)];
  return text;
}

struct Operation {
  size_t kind;  // 0 read(n), 1 readexactly, 2 readline, 3 readuntil, 4 read()
  size_t n;
  std::vector<std::string> separators;
  size_t
      cancel_after;  // pieces that it waited for; as long as it takes where 0
};

Operation operation(Bytes& in) {
  Operation op{in.below(16), in.below(24), {}, in.below(4)};
  op.kind = op.kind == 15 ? 4 : op.kind % 4;
  const size_t separators = 1 + in.below(3);
  for (size_t i = 0; i < separators; ++i) {
    std::string text;
    const size_t size = 1 + in.below(3);
    for (size_t k = 0; k < size; ++k) text += "ab\n;"[in.below(4)];
    op.separators.push_back(text);
  }
  return op;
}

class Model {
 public:
  Model(size_t limit, const std::vector<std::string>& pieces)
      : limit_(limit), pieces_(pieces) {}

  size_t fed() const { return fed_; }
  // The next piece, or the end.
  void feed() {
    if (fed_ < pieces_.size()) {
      buffer_ += pieces_[fed_];
    } else {
      eof_ = true;
    }
    ++fed_;
  }

  // "=" and the bytes, or the exception's name and text.
  std::string run(const Operation& op) {
    switch (op.kind) {
      case 0:
        return "=" + read(op.n);
      case 1:
        return readexactly(op.n);
      case 2:
        return readline();
      case 3:
        return readuntil(op.separators);
      default:
        break;
    }
    std::string all;
    while (true) {
      const std::string block = read(limit_);
      if (block.empty()) return "=" + all;
      all += block;
    }
  }

 private:
  std::string take(size_t n) {
    std::string data = buffer_.substr(0, n);
    buffer_.erase(0, n);
    return data;
  }
  std::string read(size_t n) {
    if (n == 0) return "";
    if (buffer_.empty() && !eof_) feed();
    return take(n);
  }
  static std::string incomplete(const std::string& partial,
                                const std::string& expected) {
    return "IncompleteReadError: " + std::to_string(partial.size()) +
           " bytes read on a total of " + expected + " expected bytes" +
           partial;
  }
  std::string readexactly(size_t n) {
    while (buffer_.size() < n) {
      if (eof_) return incomplete(take(buffer_.size()), std::to_string(n));
      feed();
    }
    return "=" + take(n);
  }
  std::string readuntil(const std::vector<std::string>& separators) {
    size_t shortest = SIZE_MAX;
    size_t longest = 0;
    for (const std::string& s : separators) {
      shortest = std::min(shortest, s.size());
      longest = std::max(longest, s.size());
    }
    size_t offset = 0;
    size_t start = std::string::npos;
    size_t end = std::string::npos;
    while (true) {
      if (buffer_.size() >= offset + shortest) {
        for (const std::string& s : separators) {
          const size_t at = buffer_.find(s, offset);
          if (at == std::string::npos) continue;
          // Of those that end at one place the shortest, as Python sorts them.
          if (at + s.size() < end || (at + s.size() == end && at > start)) {
            start = at;
            end = at + s.size();
          }
        }
        if (end != std::string::npos) break;
        offset =
            buffer_.size() + 1 > longest ? buffer_.size() + 1 - longest : 0;
        if (offset > limit_) {
          consumed_ = offset;
          return "LimitOverrunError: Separator is not found, and chunk exceed "
                 "the limit" +
                 std::to_string(offset);
        }
      }
      if (eof_) return incomplete(take(buffer_.size()), "undefined");
      feed();
    }
    if (start > limit_) {
      consumed_ = start;
      return "LimitOverrunError: Separator is found, but chunk is longer than "
             "limit" +
             std::to_string(start);
    }
    return "=" + take(end);
  }
  std::string readline() {
    const std::string result = readuntil({"\n"});
    if (result[0] == '=') return result;
    if (result[0] == 'I') return "=" + result.substr(result.rfind("bytes") + 5);
    if (buffer_.compare(consumed_, 1, "\n") == 0) {
      buffer_.erase(0, consumed_ + 1);
    } else {
      buffer_.clear();
    }
    return "ValueError: " +
           result.substr(19, result.find_last_not_of("0123456789") - 18);
  }

  const size_t limit_;
  const std::vector<std::string>& pieces_;
  std::string buffer_;
  bool eof_ = false;
  size_t fed_ = 0;
  size_t consumed_ = 0;
};

Coroutine<std::string> perform(const StreamReader& reader,
                               const Operation& op) {
  Separators separators(op.separators);
  switch (op.kind) {
    case 0:
      if (op.separators.size() == 1) {
        // The same, put into memory as it comes.
        std::string memory(op.n, '?');
        memory.resize(co_await reader.read_into(memory));
        co_return memory;
      }
      co_return co_await reader.read(static_cast<ptrdiff_t>(op.n));
    case 1:
      co_return co_await reader.readexactly(op.n);
    case 2:
      co_return co_await reader.readline();
    case 3:
      co_return co_await reader.readuntil(std::move(separators));
    default:
      co_return co_await reader.read();
  }
}

std::string outcome(const Task<std::string>& task) {
  if (task.cancelled()) return "cancelled";
  const std::exception_ptr e = task.exception();
  if (e == nullptr) return "=" + task.result();
  std::string text = exception_name(e) + ": " + exception_message(e);
  if (const auto* incomplete = exception_cast<IncompleteReadError>(e)) {
    text += incomplete->partial();
  } else if (const auto* overrun = exception_cast<LimitOverrunError>(e)) {
    text += std::to_string(overrun->consumed());
  }
  return text;
}

void check(bool good, const std::string& expected, const std::string& got) {
  if (good) return;
  std::fprintf(stderr, "expected %s\ngot      %s\n", expected.c_str(),
               got.c_str());
  std::abort();
}

Coroutine<> play(Bytes in) {
  const size_t limit = 1 + in.below(12);
  std::vector<std::string> pieces;
  const size_t count = in.below(24);
  for (size_t i = 0; i < count; ++i) pieces.push_back(piece(in));
  Model model(limit, pieces);
  ScriptedReader s(limit);
  size_t fed = 0;
  while (!in.exhausted()) {
    const Operation op = operation(in);
    auto task = create_task(perform(s.reader, op));
    co_await turns(1);
    size_t waited = 0;
    bool cancelled = false;
    while (!task.done() && !cancelled) {
      if (op.cancel_after != 0 && waited == op.cancel_after) {
        task.cancel();
        cancelled = true;
      } else {
        if (fed < pieces.size()) {
          s.feed(pieces[fed]);
        } else {
          s.feed_eof();
        }
        ++fed;
        ++waited;
      }
      co_await turns(1);
    }
    if (cancelled) {
      check(task.cancelled(), "cancelled", outcome(task));
      while (model.fed() < fed) model.feed();
      continue;
    }
    const std::string expected = model.run(op);
    check(expected == outcome(task), expected, outcome(task));
    check(model.fed() == fed, std::to_string(model.fed()) + " pieces",
          std::to_string(fed));
  }
}

}  // namespace
}  // namespace asyncio

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  asyncio::run(asyncio::play(asyncio::Bytes(data, size)));
  return 0;
}
