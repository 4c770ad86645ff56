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
#include "asyncio/streams/separators.h"
#include "asyncio/streams/transport.h"
#include "asyncio/sync/internal/loop_binding.h"
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

void StreamBuffer::feed_other_data(std::string_view data) {
  ABSL_ASSERT(!eof_ && "feed_data after feed_eof");
  if (data.empty()) return;
  if (ReadWait* const wait = waiting_;
      wait != nullptr && wait->goal == ReadGoal::kInto && bytes_.empty() &&
      (wait->task()->waiting() || wait->delivered_ != 0)) {
    const size_t size = std::min(data.size(), wait->count - wait->delivered_);
    deliver(*wait, wait->delivered_, data.substr(0, size));
    data.remove_prefix(size);
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

// Whether the read can end now, and how.
bool StreamBuffer::check(ReadWait& wait) {
  if (met(wait)) return true;
  if (!eof_) return false;
  wait.outcome_ = ReadWait::kEnded;
  return true;
}

// The same while the stream has not ended.
inline bool StreamBuffer::met(ReadWait& wait) {
  switch (wait.goal) {
    case ReadGoal::kSome:
    case ReadGoal::kInto:
      return !bytes_.empty() && wait.meet(0);
    case ReadGoal::kExactly:
      return bytes_.size() >= wait.count && wait.meet(wait.count);
    case ReadGoal::kAll:
      return false;
    case ReadGoal::kLine:
      return search_line(wait);
    case ReadGoal::kUntil:
      return search(wait);
  }
  return false;
}

// With nothing in the way: nearly every read. Without a call but for a search, so
// that it saves no registers.
bool StreamBuffer::ready(ReadWait& wait) {
  wait.delivered_ = 0;
  wait.scanned_ = 0;
  if (waiting_ != nullptr || ended_ || wait.count == 0) [[unlikely]] {
    return ready_otherwise(wait);
  }
  return met(wait);
}

bool StreamBuffer::ready_otherwise(ReadWait& wait) {
  if (exception_) [[unlikely]] std::rethrow_exception(exception_);
  if (wait.count == 0) [[unlikely]] return wait.meet(0);
  // Bytes that one who was woken, or reads to the end, has as good as taken.
  const bool taken = waiting_ != nullptr && (!waiting_->waits() ||
                                             waiting_->goal == ReadGoal::kAll);
  if (!taken && check(wait)) return true;
  if (waiting_ != nullptr) [[unlikely]] throw_already_waiting(wait.goal);
  return false;
}

void StreamBuffer::resume_paused() {
  transport_->resume_reading();
  paused_ = false;
}

void StreamBuffer::throw_wrong_loop() const {
  throw_other_loop("StreamReader", this);
}

void StreamBuffer::abandon(ReadWait& wait) noexcept {
  waiting_ = nullptr;
  const size_t size = std::exchange(wait.delivered_, 0);
  if (size != 0) bytes_.prepend(wait.target, size);
}

void StreamBuffer::fail(ReadWait& wait) {
  abandon(wait);
  step_task()->check_cancelled();
  std::rethrow_exception(exception_);
}

bool StreamBuffer::search_line(ReadWait& wait) {
  const char* const data = bytes_.data();
  const size_t size = bytes_.size();
  if (size == wait.scanned_) return false;
  const void* const feed =
      std::memchr(data + wait.scanned_, '\n', size - wait.scanned_);
  if (feed == nullptr) return not_found(wait, 1);
  return found(wait, static_cast<size_t>(static_cast<const char*>(feed) - data),
               1);
}

bool StreamBuffer::search(ReadWait& wait) {
  const std::string_view bytes = bytes_.view();
  const Separators& separators = *wait.separators;
  if (bytes.size() - wait.scanned_ < separators[0].size()) return false;
  size_t first = std::string_view::npos;
  size_t first_end = std::string_view::npos;
  for (size_t i = 0; i < separators.size(); ++i) {
    const size_t start = bytes.find(separators[i], wait.scanned_);
    if (start == std::string_view::npos) continue;
    const size_t end = start + separators[i].size();
    if (end < first_end) {
      first = start;
      first_end = end;
    }
  }
  if (first == std::string_view::npos) {
    return not_found(wait, separators[separators.size() - 1].size());
  }
  return found(wait, first, first_end - first);
}

inline bool StreamBuffer::found(ReadWait& wait, size_t start,
                                size_t separator) const {
  wait.scanned_ = start;
  wait.meet(start + separator);
  if (start > limit_) [[unlikely]] wait.outcome_ = ReadWait::kFoundTooFar;
  return true;
}

// The next search begins where a separator may have begun already.
bool StreamBuffer::not_found(ReadWait& wait, size_t longest) const {
  wait.scanned_ = bytes_.size() + 1 - std::min(longest, bytes_.size() + 1);
  if (wait.scanned_ <= limit_) return false;
  wait.outcome_ = ReadWait::kNotFound;
  return true;
}

// How much the read gives.
inline size_t StreamBuffer::take_size(ReadWait& wait) {
  if (wait.begun()) resumed(wait);
  if (wait.outcome_ != ReadWait::kMet) [[unlikely]] return ended_size(wait);
  return wait.wants_any() ? std::min(wait.count, bytes_.size()) : wait.end_;
}

// Of one that was not met.
size_t StreamBuffer::ended_size(ReadWait& wait) {
  if (wait.outcome_ != ReadWait::kEnded) throw_overrun(wait);
  if (wait.goal == ReadGoal::kExactly || wait.goal == ReadGoal::kUntil) {
    throw_incomplete(wait);
  }
  return bytes_.size();  // none where it wants any
}

std::string StreamBuffer::take_string(ReadWait& wait) {
  const size_t size = take_size(wait);
  std::string data(bytes_.data(), size);
  if (size != 0) [[likely]] consume(size);
  return data;
}

size_t StreamBuffer::take_into(ReadWait& wait) {
  const size_t size = take_size(wait);
  if (size != 0) {
    std::memcpy(wait.target, bytes_.data(), size);
    consume(size);
  }
  return size;
}

void StreamBuffer::consumed(size_t size) {
  if (waiting_ != nullptr && waiting_->goal >= ReadGoal::kLine) {
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
