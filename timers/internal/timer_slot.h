// Lists of timers, and the table of all of a wheel's lists.
//
// A slot is the head of a circular list of nodes. A node knows neither its slot
// nor its wheel; the first and the last of a list see the slot as a neighbour,
// by a pointer whose lowest bit is set, and that is enough: only they can be
// the ones whose leaving changes what the slot knows. So a node leaves its list
// in O(1) without being told where it is.
//
// Order: a node goes to the front when it is earlier than all the others and to
// the back when not, so nodes of equal deadlines stay in the order they came.
#ifndef ASYNCIO_TIMERS_INTERNAL_TIMER_SLOT_H_
#define ASYNCIO_TIMERS_INTERNAL_TIMER_SLOT_H_

#include <cstddef>
#include <cstdint>

#include "asyncio/timers/internal/wheel_level.h"

namespace asyncio::internal {

struct TimerLinks {
  // Addresses of TimerLinks, with kSlotTag where it is that of a slot. In a node
  // that is in no list `prev` is zero, and `next` is not looked at.
  uintptr_t prev = 0;
  uintptr_t next;
  int64_t deadline = 0;
};

inline constexpr uintptr_t kSlotTag = 1;

inline bool is_slot(uintptr_t link) { return (link & kSlotTag) != 0; }
inline TimerLinks* links_at(uintptr_t link) {
  return reinterpret_cast<TimerLinks*>(link & ~kSlotTag);
}
inline uintptr_t link_to(const TimerLinks* node) {
  return reinterpret_cast<uintptr_t>(node);
}

// The number of the lowest bit that is set; there is one.
inline unsigned lowest_bit(uint64_t bits) {
  return static_cast<unsigned>(__builtin_ctzll(bits));
}

// What is known of the order in a slot's list.
enum class SlotOrder : uint8_t {
  kSorted = 0,    // by deadline; the first is the earliest
  kUnsorted = 1,  // but the first is the earliest
  kHeadless = 3,  // unsorted, and the earliest was taken away
};

struct TimerSlot {
  // links.prev is the last node, links.next the first, both the slot itself
  // when it is empty. links.deadline is not later than any deadline in the
  // list, and that of the earliest unless the slot is headless.
  TimerLinks links;
  uint16_t id = 0;
  uint8_t row = 0;  // that of the id, at hand for when the slot fills or empties
  SlotOrder order = SlotOrder::kSorted;

  uintptr_t self() const { return link_to(&links) | kSlotTag; }
  bool empty() const { return is_slot(links.next); }
  int64_t bound() const { return links.deadline; }
  unsigned column() const { return id % kSlotsPerLevel; }
  TimerLinks* front() { return links_at(links.next); }
  TimerLinks* back() { return links_at(links.prev); }
};

// The slots in rows, with a bit for each that is not empty. Row 0 is for the
// timers of the base tick and before; row k + 1 is level k.
struct SlotTable {
  static constexpr unsigned kRows = kLevels + 1;
  static constexpr unsigned kDueColumns = 32;
  // Row 0 has only its last columns.
  static constexpr unsigned kFirstId = kSlotsPerLevel - kDueColumns;
  static constexpr unsigned kSlots = kRows * kSlotsPerLevel - kFirstId;

  TimerSlot slots[kSlots];
  uint64_t occupied[kRows] = {};  // by row, a bit for a column
  uint64_t rows = 0;              // a bit for a row in which a bit is set

  SlotTable();
  SlotTable(const SlotTable&) = delete;
  SlotTable& operator=(const SlotTable&) = delete;

  // The one that a slot of this table is, to be changed.
  TimerSlot& at(const TimerSlot& slot) { return slots[slot.id - kFirstId]; }
  TimerSlot& at(unsigned row, unsigned column) {
    return slots[row * kSlotsPerLevel + column - kFirstId];
  }
  const TimerSlot& at(unsigned row, unsigned column) const {
    return slots[row * kSlotsPerLevel + column - kFirstId];
  }

  void mark_occupied(const TimerSlot& slot) {
    occupied[slot.row] |= uint64_t{1} << slot.column();
    rows |= uint64_t{1} << slot.row;
  }
  void mark_empty(const TimerSlot& slot) {
    uint64_t& columns = occupied[slot.row];
    columns &= ~(uint64_t{1} << slot.column());
    if (columns == 0) rows &= ~(uint64_t{1} << slot.row);
  }

  // Adds `node`, which is in no list and has its deadline.
  void insert(TimerSlot& slot, TimerLinks& node);

  // The same for one that is earlier than all in the slot, or as early as some
  // and to come before them. The slot is not empty.
  void insert_front(TimerSlot& slot, TimerLinks& node);

  // Takes `node` out of the list it is in, of whichever table.
  static void remove(TimerLinks& node);

  // Empties the slot; gives its nodes as a chain by `next` that ends in zero.
  TimerLinks* take_all(TimerSlot& slot);

  // Fills an empty slot with a sorted chain that is not empty.
  void put_sorted(TimerSlot& slot, TimerLinks* chain);

  // Moves the whole list to `to`, which is empty.
  void move_all(TimerSlot& from, TimerSlot& to);

  // Sorts the list, equal deadlines as they are.
  void sort(TimerSlot& slot);

  // Moves the nodes of `newer` into `older`. Both are sorted and not empty.
  // Among equals those of `older` come first.
  void merge(TimerSlot& older, TimerSlot& newer);
};

inline void SlotTable::insert_front(TimerSlot& slot, TimerLinks& node) {
  node.prev = slot.self();
  node.next = slot.links.next;
  slot.front()->prev = link_to(&node);
  slot.links.next = link_to(&node);
  slot.links.deadline = node.deadline;
  if (slot.order == SlotOrder::kHeadless) slot.order = SlotOrder::kUnsorted;
}

inline void SlotTable::insert(TimerSlot& slot, TimerLinks& node) {
  const uintptr_t self = link_to(&node);
  const uintptr_t head = slot.links.next;
  if (is_slot(head)) {
    node.prev = node.next = head;
    slot.links.prev = slot.links.next = self;
    slot.links.deadline = node.deadline;
    slot.order = SlotOrder::kSorted;
    mark_occupied(slot);
  } else if (node.deadline < slot.links.deadline) {
    insert_front(slot, node);
  } else {
    TimerLinks* tail = slot.back();
    if (node.deadline < tail->deadline && slot.order == SlotOrder::kSorted) {
      slot.order = SlotOrder::kUnsorted;
    }
    node.prev = link_to(tail);
    node.next = slot.self();
    tail->next = self;
    slot.links.prev = self;
  }
}

inline void SlotTable::remove(TimerLinks& node) {
  const uintptr_t prev = node.prev;
  const uintptr_t next = node.next;
  node.prev = 0;
  links_at(prev)->next = next;
  links_at(next)->prev = prev;
  if (!is_slot(prev)) return;
  // The links are a slot's first member, and the slots are a table's.
  TimerSlot* slot = reinterpret_cast<TimerSlot*>(links_at(prev));
  if (is_slot(next)) {
    reinterpret_cast<SlotTable*>(slot - (slot->id - kFirstId))
        ->mark_empty(*slot);
  } else if (slot->order == SlotOrder::kSorted) {
    slot->links.deadline = links_at(next)->deadline;
  } else {
    slot->order = SlotOrder::kHeadless;
  }
}

}  // namespace asyncio::internal

#endif  // ASYNCIO_TIMERS_INTERNAL_TIMER_SLOT_H_
