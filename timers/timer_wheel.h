// TimerWheel: timers by the million over a clock that its owner reads.
//
//   struct Lease : TimerNode { std::string name; };
//
//   TimerWheel wheel(start);
//   Lease lease;
//   wheel.schedule(lease, start + 30s);   // again: moves it
//   wheel.cancel(lease);
//
//   wheel.advance(now, [](TimerNode& timer) {
//     expire(static_cast<Lease&>(timer));
//   });
//
// Order: timers fire by deadline, to the nanosecond and never early; equal
//   deadlines in the order of their last schedule(). A deadline that is past
//   already fires at the next advance(), in the same order: before all later
//   ones. One of TimePoint::infinite_future() is armed and never fires.
// Time: only what advance() is told. A time before now() counts as now().
// Lifetime: a node belongs to the caller, stays where it is while armed, and
//   disarms itself when it is destroyed. A destroyed wheel leaves its nodes
//   unarmed.
// Re-entrance: while advance() calls back, any timer may be scheduled,
//   cancelled, moved or destroyed, that which fires included; what is thereby
//   due fires in the same advance(), in its place. So a timer that always sets
//   itself to now() keeps advance() from ending. Only the wheel must stay.
// Threads: none of it is thread-safe; a node counts as part of its wheel.
// Cost: schedule() and cancel() are O(1), whatever the number of timers, and
//   nothing ever allocates. A node is 24 bytes, a wheel less than 22 KiB. A
//   timer moves down at most once a level on its way to firing, where the time is
//   told often a few at a time and before it has to, and is ordered among those of
//   the same 65 us by merging. docs/timers.md has the rest.
#ifndef ASYNCIO_TIMERS_TIMER_WHEEL_H_
#define ASYNCIO_TIMERS_TIMER_WHEEL_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "asyncio/base/time.h"
#include "asyncio/timers/internal/timer_slot.h"
#include "asyncio/timers/internal/wheel_level.h"

namespace asyncio {

// One timer: derive from it, or make it a member.
class TimerNode {
 public:
  TimerNode() = default;
  TimerNode(const TimerNode&) = delete;
  TimerNode& operator=(const TimerNode&) = delete;
  ~TimerNode() {
    if (armed()) disarm();
  }

  // Waiting in a wheel. False from the moment it fires.
  bool armed() const { return links_.prev != 0; }

  // That of the last schedule(), also after it has fired.
  TimePoint deadline() const {
    return TimePoint::from_nanoseconds(links_.deadline);
  }

 private:
  friend class TimerWheel;

  void disarm();

  internal::TimerLinks links_;
};

class TimerWheel {
 public:
  explicit TimerWheel(TimePoint now = {});
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  ~TimerWheel();

  // Arms the node. One that is armed, be it in another wheel, moves here,
  // behind those of the same deadline.
  void schedule(TimerNode& node, TimePoint deadline);

  // False if it is not armed. The node knows where it is: any wheel will do.
  static bool cancel(TimerNode& node) {
    if (!node.armed()) return false;
    node.disarm();
    return true;
  }

  // Moves the time on and calls `fire(TimerNode&)` for each timer due by then,
  // no longer armed. Gives their number. What `fire` throws passes through; the
  // timers that are left fire at the next call.
  // Cost: with nothing due and the time within the same 65 us, two compares. Any
  //   span of time is crossed in O(levels), beside what is on the way.
  template <class F>
  size_t advance(TimePoint now, F&& fire) {
    size_t fired = 0;
    while (TimerNode* node = pop_due(now)) {
      ++fired;
      fire(*node);
    }
    return fired;
  }

  // The same by single steps: moves the time on and takes out the earliest
  // timer that is due, or nullptr. Between two steps as inside `fire`.
  TimerNode* pop_due(TimePoint now) {
    const int64_t time = std::max(now.nanoseconds(), now_);
    if (time >= quiet_until_) return take_due(time);
    now_ = time;
    return nullptr;
  }

  // When the owner should call advance(): never later than next_deadline(), and
  // the same unless the earliest timers were cancelled. Then it may stay at
  // what was theirs until that time has come, or next_deadline() is called.
  // infinite_future() if nothing is armed.
  // Cost: a few loads, never a search.
  TimePoint next_wakeup() const {
    if (empty()) return TimePoint::infinite_future();
    return TimePoint::from_nanoseconds(first().bound());
  }

  // The earliest deadline, exactly.
  // Cost: that of next_wakeup(), unless the earliest of a slot was cancelled
  //   whose list is not by deadline. Then it brings down what is still above and
  //   of the same period, looks through the slot if it has up to 64 timers, and
  //   else moves them one level down, which happens to a timer at most once a
  //   level.
  std::optional<TimePoint> next_deadline() {
    if (empty()) return std::nullopt;
    if (first().order == internal::SlotOrder::kHeadless) find_first();
    return next_wakeup();
  }

  // Whether a timer is known to be due after `after`, but by `until`: of those in
  // the first two slots it looks at the ends. True is certain, false is not.
  bool is_due_between(TimePoint after, TimePoint until) const;

  bool empty() const { return table_.rows == 0; }

  // Cost: it counts them one by one.
  size_t size() const;

  // The latest time told, at most one nanosecond before infinite_future().
  TimePoint now() const { return TimePoint::from_nanoseconds(now_); }

 private:
  // The columns of row 0: runs, from the oldest to the youngest, and last the
  // one where what is scheduled arrives. A run is never younger than one to its
  // right, so that of equal deadlines the left one is first.
  static constexpr unsigned kFirstRun = internal::SlotTable::kFirstId;
  static constexpr unsigned kIncoming = internal::kSlotsPerLevel - 1;
  static constexpr unsigned kRuns = kIncoming - kFirstRun;

  // The columns of a row from the earliest, and which the first of them is.
  uint64_t from_base(unsigned row) const {
    return std::rotr(table_.occupied[row], shift_of(row));
  }
  int shift_of(unsigned row) const {
    return row == 0 ? 0
                    : static_cast<int>(internal::slot_of(base_, row - 1));
  }
  // The slot for a bit of from_base().
  const internal::TimerSlot& slot_from_base(unsigned row, unsigned bit) const {
    return table_.at(row, (bit + static_cast<unsigned>(shift_of(row))) %
                              internal::kSlotsPerLevel);
  }
  // The first slot of the first row. The wheel is not empty.
  const internal::TimerSlot& front() const {
    const unsigned row = internal::lowest_bit(table_.rows);
    return slot_from_base(row, internal::lowest_bit(from_base(row)));
  }
  bool is_in_next_period(const internal::TimerSlot& slot) const {
    return slot.row != 0 &&
           internal::is_in_next_period(base_, slot.row - 1u, slot.column());
  }
  // The slot of the level above whose timers belong in the next period of `level`.
  const internal::TimerSlot& next_above(unsigned level) const {
    const unsigned slot = internal::slot_of(base_, level + 1) + 1;
    return table_.at(level + 2, slot % internal::kSlotsPerLevel);
  }

  // The slot with the earliest bound; of equal ones in row 0 the leftmost. Its
  // bound is the next deadline unless it is headless. The wheel is not empty.
  const internal::TimerSlot& first() const {
    const internal::TimerSlot& slot = front();
    if (slot.row != 0) {
      return is_in_next_period(slot) ? first_of_next_period(slot) : slot;
    }
    const uint64_t columns = table_.occupied[0];
    return (columns & (columns - 1)) != 0 ? first_of_many() : slot;
  }
  const internal::TimerSlot& first_of_many() const;
  const internal::TimerSlot& first_of_next_period(
      const internal::TimerSlot& front) const;

  TimerNode* take_due(int64_t time);
  TimerNode* none_due();
  void place(internal::TimerLinks& node);
  void move_base(uint64_t tick);
  void enter(const internal::TimerSlot& slot, uint64_t until);
  size_t bring_down(unsigned level, size_t most);
  bool bring_down_all(const internal::TimerSlot& slot);
  void bring_down_ahead();
  internal::TimerSlot& first_due();
  void settle_incoming();
  void find_first();

  internal::SlotTable table_;

  // The tick from which the levels are seen: all in them are later, all in row
  // 0 are not. It is ahead of now_ only where next_deadline() went to look.
  uint64_t base_;
  int64_t now_;
  // The unit of level 1 in which bring_down_ahead() ran last.
  uint64_t brought_down_;
  // Before it advance() has nothing to do: not later than the end of the base
  // tick, nor than any deadline in row 0.
  int64_t quiet_until_;

  // How many timers went into the incoming column, and into a run: at least as
  // many as are there. Each run counts at most half of the next to its left, so
  // ordering costs a timer O(log n), in whatever order they come.
  uint64_t incoming_count_ = 0;
  uint64_t run_counts_[kRuns] = {};
};

}  // namespace asyncio

#endif  // ASYNCIO_TIMERS_TIMER_WHEEL_H_
