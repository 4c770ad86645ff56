#include "asyncio/streams/internal/stream_buffer.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/macros.h"

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/step.h"
#include "asyncio/streams/separators.h"
#include "asyncio/streams/transport.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {
namespace {

// Python's readline() waits in readuntil().
constexpr const char* kNames[] = {"read", "read",      "readexactly",
                                  "read", "readuntil", "readuntil"};

const char* overrun_message(bool found) {
  return found ? "Separator is found, but chunk is longer than limit"
               : "Separator is not found, and chunk exceed the limit";
}

// Out of line: a string on its stack would make each read pay.
[[noreturn, gnu::noinline]] void throw_already_waiting(ReadGoal goal) {
  throw RuntimeError(std::string(kNames[static_cast<size_t>(goal)]) +
                     "() called while another coroutine is already waiting "
                     "for incoming data");
}

}  // namespace

constinit const WaiterKind ReadWait::kKinds[6] = {
    {1, "StreamReader.read", nullptr, nullptr},
    {1, "StreamReader.read_into", nullptr, nullptr},
    {1, "StreamReader.readexactly", nullptr, nullptr},
    {1, "StreamReader.read", nullptr, nullptr},
    {1, "StreamReader.readline", nullptr, nullptr},
    {1, "StreamReader.readuntil", nullptr, nullptr},
};

// The next message of a connection that waits for it. (A read that waits with a
// target waits for the first byte: there is none in the buffer.)
void StreamBuffer::feed_data(std::string_view data) {
  ReadWait* const wait = waiting_;
  if (wait != nullptr && wait->state_ == ReadWait::kDirect &&
      data.size() - 1 < wait->count && wait->task()->wake()) [[likely]] {
    wait->state_ = ReadWait::kWoken;
    wait->delivered_ = data.size();
    std::memcpy(wait->target, data.data(), data.size());
    return;
  }
  feed_other_data(data);
}

void StreamBuffer::feed_other_data(std::string_view data) {
  ABSL_ASSERT(!eof_ && "feed_data after feed_eof");
  if (data.empty()) return;
  if (waiting_ != nullptr && waiting_->goal == ReadGoal::kInto &&
      bytes_.empty()) {
    deliver(data);
  }
  if (!data.empty()) bytes_.append(data.data(), data.size());
  if (waiting_ != nullptr && waiting_->waits()) {
    if (waiting_->wants_any()) [[likely]] {
      waiting_->outcome_ = ReadWait::kMet;
    } else if (!check(*waiting_)) {
      // One that needs more would wait for ever on a paused transport.
      return;
    }
    wake(ReadWait::kWoken);
  }
  if (size() > 2 * limit_ && transport_ != nullptr && !paused_) {
    transport_->pause_reading();
    paused_ = true;
  }
}

// As much as there is room for, from the front of `data`.
inline void StreamBuffer::deliver(std::string_view& data) {
  ReadWait& wait = *waiting_;
  if (!wait.task()->waiting() && wait.delivered_ == 0) return;
  const size_t size = std::min(data.size(), wait.count - wait.delivered_);
  if (size == 0) return;
  std::memcpy(wait.target + wait.delivered_, data.data(), size);
  wait.delivered_ += size;
  data.remove_prefix(size);
}

void StreamBuffer::feed_eof() {
  if (eof_) return;
  eof_ = ended_ = true;
  if (waiting_ != nullptr && waiting_->waits()) {
    check(*waiting_);
    wake(ReadWait::kWoken);
  }
}

void StreamBuffer::set_exception(std::exception_ptr exception) {
  exception_ = std::move(exception);
  ended_ = true;
  if (waiting_ != nullptr && waiting_->waits()) {
    wake(ReadWait::kFailed);
  }
}

void StreamBuffer::wake(ReadWait::State state) {
  waiting_->state_ = state;
  // False where it was cancelled before: then it takes nothing.
  waiting_->task()->wake();
}

bool StreamBuffer::ready_otherwise(ReadWait& wait) {
  wait.outcome_ = ReadWait::kNone;
  if (exception_) [[unlikely]] std::rethrow_exception(exception_);
  if (wait.count == 0) [[unlikely]] return true;
  const bool woken = waiting_ != nullptr && !waiting_->waits();
  if (!woken && check(wait)) return true;
  if (waiting_ != nullptr) [[unlikely]] throw_already_waiting(wait.goal);
  return false;
}

void StreamBuffer::resume_paused() {
  paused_ = false;
  transport_->resume_reading();
}

void StreamBuffer::abandon(ReadWait& wait) noexcept {
  waiting_ = nullptr;
  const size_t size = std::exchange(wait.delivered_, 0);
  if (size != 0) bytes_.prepend(wait.target, size);
}

void StreamBuffer::fail(ReadWait& wait) {
  abandon(wait);
  step.task->check_cancelled();
  std::rethrow_exception(exception_);
}

// Whether the read can end now, and how.
bool StreamBuffer::check(ReadWait& wait) {
  switch (wait.goal) {
    case ReadGoal::kSome:
    case ReadGoal::kInto:
      if (bytes_.empty()) break;
      wait.outcome_ = ReadWait::kMet;
      return true;
    case ReadGoal::kExactly:
      if (bytes_.size() < wait.count) break;
      wait.outcome_ = ReadWait::kMet;
      return true;
    case ReadGoal::kAll:
      break;
    case ReadGoal::kLine:
    case ReadGoal::kUntil:
      if (search(wait)) return true;
      break;
  }
  if (!eof_) return false;
  wait.outcome_ = ReadWait::kEnded;
  return true;
}

bool StreamBuffer::search(ReadWait& wait) {
  const std::string_view bytes = bytes_.view();
  size_t longest = 1;
  size_t found = std::string_view::npos;
  size_t found_end = std::string_view::npos;
  if (wait.goal == ReadGoal::kLine) {
    if (bytes.size() == wait.scanned_) return false;
    const void* feed = std::memchr(bytes.data() + wait.scanned_, '\n',
                                   bytes.size() - wait.scanned_);
    if (feed != nullptr) {
      found = static_cast<size_t>(static_cast<const char*>(feed) - bytes.data());
      found_end = found + 1;
    }
  } else {
    const Separators& separators = *wait.separators;
    longest = separators[separators.size() - 1].size();
    if (bytes.size() - wait.scanned_ < separators[0].size()) return false;
    for (size_t i = 0; i < separators.size(); ++i) {
      const size_t start = bytes.find(separators[i], wait.scanned_);
      if (start == std::string_view::npos) continue;
      const size_t end = start + separators[i].size();
      if (end < found_end) {
        found = start;
        found_end = end;
      }
    }
  }
  if (found != std::string_view::npos) {
    wait.scanned_ = found;
    wait.end_ = found_end;
    wait.outcome_ =
        found > limit_ ? ReadWait::kFoundTooFar : ReadWait::kMet;
    return true;
  }
  // The next search begins where a separator may have begun already.
  wait.scanned_ = bytes.size() + 1 - std::min(longest, bytes.size() + 1);
  if (wait.scanned_ <= limit_) return false;
  wait.outcome_ = ReadWait::kNotFound;
  return true;
}

std::string_view StreamBuffer::take(ReadWait& wait) {
  const std::string_view bytes = bytes_.view();
  if (wait.outcome_ == ReadWait::kMet && wait.wants_any()) [[likely]] {
    return bytes.substr(0, wait.count);
  }
  switch (wait.outcome_) {
    case ReadWait::kMet:
      return bytes.substr(
          0, wait.goal == ReadGoal::kExactly ? wait.count : wait.end_);
    case ReadWait::kEnded:
      switch (wait.goal) {
        case ReadGoal::kExactly:
        case ReadGoal::kUntil:
          throw_incomplete(wait);
        default:
          return bytes;
      }
    case ReadWait::kNotFound:
    case ReadWait::kFoundTooFar:
      throw_overrun(wait);
    case ReadWait::kNone:
      break;
  }
  return {};
}

void StreamBuffer::consume(size_t size) {
  if (size == 0) return;
  bytes_.consume(size);
  if (waiting_ != nullptr && waiting_->goal >= ReadGoal::kLine) [[unlikely]] {
    // It waits for more than there was; there is less now.
    waiting_->scanned_ -= std::min(waiting_->scanned_, size);
  }
  maybe_resume();
}

void StreamBuffer::maybe_resume() {
  if (paused_ && size() <= limit_) resume_paused();
}

void StreamBuffer::throw_incomplete(const ReadWait& wait) {
  std::string partial(bytes_.view());
  bytes_.clear();
  throw IncompleteReadError(std::move(partial),
                            wait.goal == ReadGoal::kExactly
                                ? std::optional<size_t>(wait.count)
                                : std::nullopt);
}

void StreamBuffer::throw_overrun(const ReadWait& wait) {
  const char* message =
      overrun_message(wait.outcome_ == ReadWait::kFoundTooFar);
  if (wait.goal != ReadGoal::kLine) {
    throw LimitOverrunError(message, wait.scanned_);
  }
  consume(wait.outcome_ == ReadWait::kFoundTooFar ? wait.end_ : bytes_.size());
  throw ValueError(message);
}

}  // namespace asyncio::internal
