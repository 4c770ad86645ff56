#include "asyncio/streams/internal/fd_turn.h"

#include <memory>
#include <utility>

#include "absl/container/node_hash_map.h"

#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/step.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

class FdLines;

// Who waits for one side of a descriptor; in its loop's FdLines while there is
// somebody, and watched by the loop as long.
class FdLine {
 public:
  FdLine(FdLines& lines, int fd, FdSide side)
      : lines_(lines), fd_(fd), side_(side) {}
  FdLine(const FdLine&) = delete;
  FdLine& operator=(const FdLine&) = delete;
  ~FdLine() {
    while (first_ != nullptr) unlink(*first_);
  }

  int fd() const { return fd_; }
  FdSide side() const { return side_; }
  bool empty() const { return first_ == nullptr; }

  void append(FdTurn& turn) {
    turn.line_ = this;
    turn.prev_ = last_;
    turn.next_ = nullptr;
    (last_ == nullptr ? first_ : last_->next_) = &turn;
    last_ = &turn;
  }
  void unlink(FdTurn& turn) {
    (turn.prev_ == nullptr ? first_ : turn.prev_->next_) = turn.next_;
    (turn.next_ == nullptr ? last_ : turn.next_->prev_) = turn.prev_;
    turn.line_ = nullptr;
  }

  // The descriptor is ready. Where the foremost has been woken or cancelled
  // already, its turn comes, and then that of the next.
  void wake() { first_->task()->wake(); }
  // `turn` is over; so is the line, where it was the last.
  void leave(FdTurn& turn) noexcept;

 private:
  FdLines& lines_;
  const int fd_;
  const FdSide side_;
  FdTurn* first_ = nullptr;
  FdTurn* last_ = nullptr;
};

// The lines of one loop.
class FdLines final : public LoopAttachment {
 public:
  explicit FdLines(EventLoop& loop) : loop_(loop) {}

  static FdLines& of(EventLoop& loop) {
    LoopAttachment* found =
        LoopAccess::attachment(loop, AttachmentSlot::kFdLines);
    if (found == nullptr) {
      auto made = std::make_unique<FdLines>(loop);
      found = made.get();
      LoopAccess::attach(loop, AttachmentSlot::kFdLines, std::move(made));
    }
    return static_cast<FdLines&>(*found);
  }

  void loop_destroyed() override { lines_.clear(); }

  FdLine& line(int fd, FdSide side) {
    auto [place, fresh] = lines_.try_emplace(Key(fd, side), *this, fd, side);
    FdLine& line = place->second;
    if (!fresh) return line;
    try {
      if (side == FdSide::kRead) {
        loop_.add_reader(fd, [&line] { line.wake(); });
      } else {
        loop_.add_writer(fd, [&line] { line.wake(); });
      }
    } catch (...) {
      lines_.erase(place);
      throw;
    }
    return line;
  }

  void remove(FdLine& line) {
    const int fd = line.fd();
    const FdSide side = line.side();
    if (side == FdSide::kRead) {
      loop_.remove_reader(fd);
    } else {
      loop_.remove_writer(fd);
    }
    lines_.erase(Key(fd, side));
  }

 private:
  using Key = std::pair<int, FdSide>;

  EventLoop& loop_;
  absl::node_hash_map<Key, FdLine> lines_;
};

void FdLine::leave(FdTurn& turn) noexcept {
  unlink(turn);
  if (empty()) lines_.remove(*this);
}

const WaiterKind FdTurn::kKind = {1, "descriptor", nullptr, nullptr};

void FdTurn::suspend(PromiseBase& caller) {
  if (line_ == nullptr) {
    FdLines::of(*step.task->loop()).line(fd_, side_).append(*this);
  }
  step.task->park(caller, *this);
}

void FdTurn::leave() noexcept { line_->leave(*this); }

}  // namespace asyncio::internal
