#include "asyncio/streams/internal/fd_lines.h"

#include <memory>
#include <utility>

#include "absl/container/node_hash_map.h"

#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/streams/internal/turn_line.h"

namespace asyncio::internal {
namespace {

class FdLines;

// Watched by the loop while somebody is in it.
class FdLine final : public TurnLine {
 public:
  FdLine(FdLines& lines, int fd, FdSide side)
      : lines_(lines), fd_(fd), side_(side) {}

  int fd() const { return fd_; }
  FdSide side() const { return side_; }

 private:
  void emptied() noexcept override;

  FdLines& lines_;
  const int fd_;
  const FdSide side_;
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

  TurnLine& line(int fd, FdSide side) {
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
    const Key key(line.fd(), line.side());
    if (key.second == FdSide::kRead) {
      loop_.remove_reader(key.first);
    } else {
      loop_.remove_writer(key.first);
    }
    lines_.erase(key);
  }

 private:
  using Key = std::pair<int, FdSide>;

  EventLoop& loop_;
  absl::node_hash_map<Key, FdLine> lines_;
};

void FdLine::emptied() noexcept { lines_.remove(*this); }

}  // namespace

TurnLine& fd_line(int fd, FdSide side) {
  return FdLines::of(get_running_loop()).line(fd, side);
}

}  // namespace asyncio::internal
