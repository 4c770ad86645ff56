#include "asyncio/timers/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

namespace asyncio {

namespace {

using internal::SlotOrder;
using internal::SlotTable;
using internal::TimerLinks;
using internal::TimerSlot;

// infinite_future() is never reached.
constexpr int64_t kLastTime = TimePoint::infinite_future().nanoseconds() - 1;

// How many timers next_deadline() looks at before it rather moves them.
constexpr int kLookThrough = 64;

// How many timers are brought down a level ahead of time for each unit of level 1,
// 2.1 ms, that passes, and for how many units at most in one go.
constexpr size_t kAhead = 1024;
constexpr uint64_t kUnitsAtOnce = 16;

// In how many units before a level's next period that is done for it. Not in more
// than it takes, as a timer that was brought down and is set again was moved in
// vain: enough for 120,000 timers a second in slots of 67 ms and of 2.1 s, and for
// two million in one of 69 s.
constexpr unsigned units_ahead(unsigned level) {
  return level == 1 ? internal::kSlotsPerPeriod : level == 2 ? 8 : 2;
}

// The count of a run that came from a slot: it is not merged with what arrives
// later, however much that is.
constexpr uint64_t kSlotRun = std::numeric_limits<uint64_t>::max();

// The links are a node's only member.
static_assert(std::is_standard_layout_v<TimerNode> && sizeof(TimerNode) == 24);
static_assert(sizeof(TimerWheel) <= 22 * 1024);
TimerNode* node_of(TimerLinks* links) {
  return reinterpret_cast<TimerNode*>(links);
}

// Brings the earliest of a headless slot to its front; false, with nothing
// changed, if it has more than kLookThrough timers.
bool find_head(SlotTable& table, TimerSlot& slot) {
  TimerLinks* first = slot.front();
  TimerLinks* node = first;
  for (int i = 1; !internal::is_slot(node->next); ++i) {
    if (i == kLookThrough) return false;
    node = internal::links_at(node->next);
    if (node->deadline < first->deadline) first = node;
  }
  if (first == slot.front()) {
    slot.links.deadline = first->deadline;
    slot.order = SlotOrder::kUnsorted;
    return true;
  }
  // All that were before it are later, so no equals change places.
  SlotTable::remove(*first);
  table.insert_front(slot, *first);
  return true;
}

}  // namespace

void TimerNode::disarm() { SlotTable::remove(links_); }

TimerWheel::TimerWheel(TimePoint now)
    : base_(internal::tick_of(now.nanoseconds())),
      now_(std::min(now.nanoseconds(), kLastTime)),
      brought_down_(internal::unit_of(base_, 1)),
      quiet_until_(now_) {}

TimerWheel::~TimerWheel() {
  for (TimerSlot& slot : table_.slots) {
    if (slot.empty()) continue;
    for (TimerLinks* node = table_.take_all(slot); node != nullptr;
         node = internal::links_at(node->next)) {
      node->prev = 0;
    }
  }
}

void TimerWheel::schedule(TimerNode& node, TimePoint deadline) {
  if (node.armed()) SlotTable::remove(node.links_);
  node.links_.deadline = deadline.nanoseconds();
  place(node.links_);
}

// Puts a node that is in no list where it belongs as seen from the base.
inline void TimerWheel::place(TimerLinks& node) {
  const uint64_t tick = internal::tick_of(node.deadline);
  if (tick > base_) {
    const unsigned level = internal::level_of(tick, base_);
    table_.insert(table_.at(level + 1, internal::slot_of(tick, level)), node);
  } else {
    ++incoming_count_;
    quiet_until_ = std::min(quiet_until_, node.deadline);
    table_.insert(table_.at(0, kIncoming), node);
  }
}

// The earliest timer that is due at `time`, or nullptr.
TimerNode* TimerWheel::take_due(int64_t time) {
  now_ = std::min(time, kLastTime);
  move_base(internal::tick_of(now_));
  if (table_.occupied[0] == 0) return none_due();
  TimerSlot& slot = first_due();
  if (slot.bound() > now_) return none_due();
  TimerLinks* first = slot.front();
  SlotTable::remove(*first);
  return node_of(first);
}

TimerNode* TimerWheel::none_due() {
  if (internal::unit_of(base_, 1) != brought_down_) bring_down_ahead();
  quiet_until_ = internal::last_of_tick(base_);
  if (table_.occupied[0] != 0) {
    quiet_until_ = std::min(quiet_until_, first().bound());
  }
  return nullptr;
}

// Moves the base on, up to the first tick with timers, which are in row 0 then, or
// to `tick`.
void TimerWheel::move_base(uint64_t tick) {
  while (table_.occupied[0] == 0 && base_ < tick) {
    if (table_.rows != 0) {
      const TimerSlot& slot = front();
      const unsigned level = slot.row - 1u;
      if (is_in_next_period(slot) &&
          internal::next_period(base_, level) <= tick && bring_down_all(slot)) {
        continue;
      }
      if (internal::first_tick(base_, level, slot.column()) <= tick) {
        enter(slot, tick);
        continue;
      }
    }
    base_ = tick;
  }
}

// Moves the base into a slot, the first that is occupied, and the timers in it to
// where they belong from there. Row 0 is empty, and nothing is above that belongs
// in the slot. The time has come up to the tick `until`.
void TimerWheel::enter(const TimerSlot& entered, uint64_t until) {
  TimerSlot& slot = table_.at(entered);
  const unsigned level = slot.row - 1u;
  base_ = internal::first_tick(base_, level, slot.column());
  const uint64_t last = internal::last_tick(base_, level);
  if (last == base_ || (last <= until && slot.order == SlotOrder::kSorted)) {
    // All of it is due at once, or need not be told apart.
    base_ = last;
    incoming_count_ = 0;
    run_counts_[0] = kSlotRun;
    table_.move_all(slot, table_.at(0, kFirstRun));
    return;
  }
  TimerLinks* node = table_.take_all(slot);
  while (node != nullptr) {
    TimerLinks* next = internal::links_at(node->next);
    place(*node);
    node = next;
  }
}

// Moves up to `most` timers from the next slot above `level` to the next period of
// that, from the front of its list, so that equal deadlines stay in order. Gives
// their number.
size_t TimerWheel::bring_down(unsigned level, size_t most) {
  TimerSlot& from = table_.at(next_above(level));
  size_t count = 0;
  for (; count < most && !from.empty(); ++count) {
    TimerLinks& node = *from.front();
    SlotTable::remove(node);
    const uint64_t tick = internal::tick_of(node.deadline);
    table_.insert(table_.at(level + 1, internal::slot_of(tick, level)), node);
  }
  return count;
}

// Brings all that is still above down to the next period of which `slot` is a part.
// False if that is nothing.
bool TimerWheel::bring_down_all(const TimerSlot& slot) {
  if (!is_in_next_period(slot)) return false;
  const unsigned level = slot.row - 1u;
  const bool some = bring_down_all(next_above(level));
  return bring_down(level, SIZE_MAX) != 0 || some;
}

// What a level's next slot has is brought down as the time goes on, so that nobody
// waits for the moving of all of it when it is entered.
void TimerWheel::bring_down_ahead() {
  const uint64_t unit = internal::unit_of(base_, 1);
  const uint64_t units =
      std::min(unit - std::exchange(brought_down_, unit), kUnitsAtOnce);
  // Level 1's slots are left: they are of 2.1 ms, and due almost at once.
  for (uint64_t rows = table_.rows >> 3; rows != 0; rows &= rows - 1) {
    const unsigned level = internal::lowest_bit(rows) + 1;
    const unsigned left = internal::kSlotsPerPeriod -
                          internal::slot_of(base_, level) %
                              internal::kSlotsPerPeriod;
    if (left <= units_ahead(level)) bring_down(level, kAhead * units);
  }
}

// The slot `front`, or one above that has timers of the same period.
const TimerSlot& TimerWheel::first_of_next_period(const TimerSlot& front) const {
  const TimerSlot* first = &front;
  const TimerSlot* slot = &front;
  while (is_in_next_period(*slot)) {
    slot = &next_above(slot->row - 1u);
    if (!slot->empty() && slot->bound() < first->bound()) first = slot;
  }
  return *first;
}

const TimerSlot& TimerWheel::first_of_many() const {
  uint64_t columns = table_.occupied[0];
  const TimerSlot* first = nullptr;
  for (; columns != 0; columns &= columns - 1) {
    const TimerSlot& slot = table_.at(0, internal::lowest_bit(columns));
    if (first == nullptr || slot.bound() < first->bound()) first = &slot;
  }
  return *first;
}

// The slot of row 0, which is not empty, with the earliest timer at its front.
TimerSlot& TimerWheel::first_due() {
  while (true) {
    TimerSlot& slot = table_.at(first());
    if (slot.order != SlotOrder::kHeadless) return slot;
    if (slot.column() == kIncoming) {
      settle_incoming();
    } else {
      table_.sort(slot);
    }
  }
}

// Makes what has arrived a run of its own, and merges it with runs to its left
// that are not twice as large.
void TimerWheel::settle_incoming() {
  TimerSlot* arrived = &table_.at(0, kIncoming);
  table_.sort(*arrived);
  uint64_t count = incoming_count_;
  incoming_count_ = 0;
  uint64_t runs = table_.occupied[0] & ~(uint64_t{1} << kIncoming);
  unsigned column = kFirstRun;
  while (runs != 0) {
    const auto left = static_cast<unsigned>(std::bit_width(runs)) - 1;
    column = left + 1;
    uint64_t& left_count = run_counts_[left - kFirstRun];
    if (left_count / 2 >= count && column < kIncoming) break;
    TimerSlot& run = table_.at(0, left);
    table_.sort(run);
    table_.merge(run, *arrived);
    arrived = &run;
    column = left;
    count = left_count == kSlotRun ? kSlotRun : left_count + count;
    runs &= ~(uint64_t{1} << left);
  }
  if (arrived->id != column) {
    table_.move_all(*arrived, table_.at(0, column));
  }
  run_counts_[column - kFirstRun] = count;
}

// Sees to it that the first slot, now headless, is not.
void TimerWheel::find_first() {
  if (table_.occupied[0] == 0) {
    bring_down_all(front());
    TimerSlot& slot = table_.at(front());
    if (slot.order != SlotOrder::kHeadless || find_head(table_, slot)) return;
    enter(slot, internal::tick_of(now_));
    // Timers that have just been put in levels have left no headless slot.
    if (table_.occupied[0] == 0) return;
  }
  first_due();
}

bool TimerWheel::is_due_between(TimePoint after, TimePoint until) const {
  int slots_left = 2;
  for (uint64_t rows = table_.rows; rows != 0; rows &= rows - 1) {
    const unsigned row = internal::lowest_bit(rows);
    for (uint64_t columns = from_base(row); columns != 0;
         columns &= columns - 1) {
      if (slots_left-- == 0) return false;
      const TimerLinks& ends =
          slot_from_base(row, internal::lowest_bit(columns)).links;
      for (const uintptr_t end : {ends.next, ends.prev}) {
        const int64_t deadline = internal::links_at(end)->deadline;
        if (deadline > after.nanoseconds() && deadline <= until.nanoseconds()) {
          return true;
        }
      }
    }
  }
  return false;
}

size_t TimerWheel::size() const {
  size_t count = 0;
  for (const TimerSlot& slot : table_.slots) {
    for (uintptr_t node = slot.links.next; !internal::is_slot(node);
         node = internal::links_at(node)->next) {
      ++count;
    }
  }
  return count;
}

}  // namespace asyncio
