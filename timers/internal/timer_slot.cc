#include "asyncio/timers/internal/timer_slot.h"

#include <type_traits>

namespace asyncio::internal {

static_assert(std::is_standard_layout_v<TimerSlot> &&
                  std::is_standard_layout_v<SlotTable>,
              "remove() goes from the links to the slot to the table");
static_assert(sizeof(TimerSlot) == 32);
static_assert(sizeof(SlotTable) <= 22 * 1024);

namespace {

// Merges two sorted chains; among equals those of `older` come first.
TimerLinks* merge_chains(TimerLinks* older, TimerLinks* newer) {
  uintptr_t head = 0;
  uintptr_t* end = &head;
  while (true) {
    TimerLinks*& first = newer->deadline < older->deadline ? newer : older;
    *end = link_to(first);
    end = &first->next;
    first = links_at(first->next);
    if (first == nullptr) break;
  }
  *end = link_to(older != nullptr ? older : newer);
  return links_at(head);
}

// Cuts the chain after its first ascending run and gives what is left.
TimerLinks* cut_ascending_run(TimerLinks* chain) {
  TimerLinks* next = links_at(chain->next);
  while (next != nullptr && next->deadline >= chain->deadline) {
    chain = next;
    next = links_at(chain->next);
  }
  chain->next = 0;
  return next;
}

// Merge sort from the bottom up: bins[i] waits with 2^i runs for as many more.
TimerLinks* sort_chain(TimerLinks* chain) {
  TimerLinks* bins[64] = {};
  int used = 0;
  while (chain != nullptr) {
    TimerLinks* run = chain;
    chain = cut_ascending_run(run);
    int i = 0;
    for (; i < used && bins[i] != nullptr; ++i) {
      run = merge_chains(bins[i], run);
      bins[i] = nullptr;
    }
    bins[i] = run;
    if (i == used) ++used;
  }
  TimerLinks* sorted = nullptr;
  for (int i = 0; i < used; ++i) {
    if (bins[i] == nullptr) continue;
    sorted = sorted == nullptr ? bins[i] : merge_chains(bins[i], sorted);
  }
  return sorted;
}

}  // namespace

SlotTable::SlotTable() {
  for (unsigned i = 0; i < kSlots; ++i) {
    slots[i].id = static_cast<uint16_t>(i + kFirstId);
    slots[i].row = static_cast<uint8_t>(slots[i].id / kSlotsPerLevel);
    slots[i].links.prev = slots[i].links.next = slots[i].self();
  }
}

TimerLinks* SlotTable::take_all(TimerSlot& slot) {
  TimerLinks* chain = slot.front();
  slot.back()->next = 0;
  slot.links.prev = slot.links.next = slot.self();
  mark_empty(slot);
  return chain;
}

void SlotTable::put_sorted(TimerSlot& slot, TimerLinks* chain) {
  slot.links.next = link_to(chain);
  slot.links.deadline = chain->deadline;
  slot.order = SlotOrder::kSorted;
  uintptr_t prev = slot.self();
  while (true) {
    chain->prev = prev;
    prev = link_to(chain);
    if (chain->next == 0) break;
    chain = links_at(chain->next);
  }
  chain->next = slot.self();
  slot.links.prev = prev;
  mark_occupied(slot);
}

void SlotTable::move_all(TimerSlot& from, TimerSlot& to) {
  from.front()->prev = to.self();
  from.back()->next = to.self();
  to.links = from.links;
  to.order = from.order;
  mark_occupied(to);
  from.links.prev = from.links.next = from.self();
  mark_empty(from);
}

void SlotTable::sort(TimerSlot& slot) {
  if (slot.order == SlotOrder::kSorted) return;
  put_sorted(slot, sort_chain(take_all(slot)));
}

void SlotTable::merge(TimerSlot& older, TimerSlot& newer) {
  TimerLinks* const a = older.front();
  TimerLinks* const b = newer.front();
  if (newer.back()->deadline < a->deadline ||
      b->deadline >= older.back()->deadline) {
    // One ends before the other begins.
    const bool newer_first = b->deadline < a->deadline;
    TimerSlot& head = newer_first ? newer : older;
    TimerSlot& tail = newer_first ? older : newer;
    head.back()->next = tail.links.next;
    tail.front()->prev = head.links.prev;
    const uintptr_t first = head.links.next;
    const uintptr_t last = tail.links.prev;
    older.links.next = first;
    older.links.prev = last;
    older.links.deadline = links_at(first)->deadline;
    links_at(first)->prev = links_at(last)->next = older.self();
    newer.links.prev = newer.links.next = newer.self();
    mark_empty(newer);
    return;
  }
  take_all(older);
  take_all(newer);
  put_sorted(older, merge_chains(a, b));
}

}  // namespace asyncio::internal
