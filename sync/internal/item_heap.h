// ItemHeap: a binary heap that compares in the order of Python's heapq, so that
// items that compare equal come out as they do there.
//
// Every comparison comes before the first move: one that throws leaves the heap
// as it was. Items whose move may throw are kept behind a pointer, which is
// moved in their place.
#ifndef ASYNCIO_SYNC_INTERNAL_ITEM_HEAP_H_
#define ASYNCIO_SYNC_INTERNAL_ITEM_HEAP_H_

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "asyncio/sync/internal/success.h"

namespace asyncio::internal {

template <class T, class Compare>
class ItemHeap {
 public:
  explicit ItemHeap(Compare compare = Compare())
      : compare_(std::move(compare)) {}

  bool empty() const { return slots_.empty(); }

  // Adds nothing where it throws.
  template <class... Args>
  void emplace(Args&&... args) {
    if constexpr (kInline) {
      slots_.emplace_back(std::forward<Args>(args)...);
    } else {
      slots_.push_back(std::make_unique<T>(std::forward<Args>(args)...));
    }
    struct Undo {
      std::vector<Slot>* slots;
      ~Undo() {
        if (slots != nullptr) slots->pop_back();
      }
    } undo{&slots_};
    const size_t from = slots_.size() - 1;
    size_t to = from;
    while (to > 0 && less(from, parent(to))) to = parent(to);
    undo.slots = nullptr;
    if (to == from) return;
    Slot added = std::move(slots_[from]);
    for (size_t i = from; i != to; i = parent(i)) {
      slots_[i] = std::move(slots_[parent(i)]);
    }
    slots_[to] = std::move(added);
  }

  // The smallest, gone from the heap once `take(T&)` has returned. Takes
  // nothing where a comparison or `take` throws. Requires !empty().
  template <class F>
  decltype(auto) pop(F&& take) {
    // The last one's way: down to a leaf by the smaller children, then up to
    // where it belongs. `path[i]` is a node at depth i.
    const size_t last = slots_.size() - 1;
    size_t path[sizeof(size_t) * 8];
    size_t depth = 0;
    path[0] = 0;
    for (size_t child = 1; child < last; child = 2 * child + 1) {
      if (child + 1 < last && !less(child, child + 1)) ++child;
      path[++depth] = child;
    }
    while (depth > 0 && less(last, path[depth])) --depth;
    struct Remove {
      ~Remove() {
        if (success) heap.close(path, depth);
      }
      ItemHeap& heap;
      const size_t* path;
      size_t depth;
      Success<false> success = {};
    } remove{*this, path, depth};
    return std::forward<F>(take)(item(slots_[0]));
  }

  // One of the items, gone without a comparison. Requires !empty().
  void drop() { slots_.pop_back(); }

 private:
  static constexpr bool kInline = std::is_nothrow_move_constructible_v<T> &&
                                  std::is_nothrow_move_assignable_v<T>;
  using Slot = std::conditional_t<kInline, T, std::unique_ptr<T>>;

  static T& item(Slot& slot) {
    if constexpr (kInline) {
      return slot;
    } else {
      return *slot;
    }
  }
  static size_t parent(size_t i) { return (i - 1) / 2; }
  bool less(size_t a, size_t b) {
    return compare_(std::as_const(item(slots_[a])),
                    std::as_const(item(slots_[b])));
  }
  // Moves the path up by one, the last slot into its end.
  void close(const size_t* path, size_t depth) noexcept {
    for (size_t i = 0; i < depth; ++i) {
      slots_[path[i]] = std::move(slots_[path[i + 1]]);
    }
    if (slots_.size() > 1) slots_[path[depth]] = std::move(slots_.back());
    slots_.pop_back();
  }

  Compare compare_;
  std::vector<Slot> slots_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_ITEM_HEAP_H_
