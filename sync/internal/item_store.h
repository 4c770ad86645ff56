// Where the items of a queue are, by the order in which they leave it.
//
// take() gives the next item and takes it out, unless it throws.
#ifndef ASYNCIO_SYNC_INTERNAL_ITEM_STORE_H_
#define ASYNCIO_SYNC_INTERNAL_ITEM_STORE_H_

#include <type_traits>
#include <utility>

#include "asyncio/sync/internal/block_list.h"
#include "asyncio/sync/internal/item_heap.h"
#include "asyncio/sync/internal/success.h"

namespace asyncio::internal {

// Items in a line: they come in at its back, and leave it at its front, or at
// the back as well.
template <class T, bool kFromBack>
class LineStore {
 public:
  static constexpr bool kNeverThrows = std::is_nothrow_move_constructible_v<T>;

  template <class... Args>
  void emplace(Args&&... args) {
    items_.emplace_back(std::forward<Args>(args)...);
  }
  T take() {
    struct Pop {
      ~Pop() {
        if (success) store.drop();
      }
      LineStore& store;
      Success<kNeverThrows> success = {};
    } pop{*this};
    if constexpr (kFromBack) {
      return std::move(items_.back());
    } else {
      return std::move(items_.front());
    }
  }
  void drop() {
    if constexpr (kFromBack) {
      items_.pop_back();
    } else {
      items_.pop_front();
    }
  }

 private:
  BlockList<T> items_;
};
template <class T>
using FifoStore = LineStore<T, false>;
template <class T>
using LifoStore = LineStore<T, true>;

template <class T, class Compare>
class HeapStore {
 public:
  static constexpr bool kNeverThrows = false;  // comparisons

  template <class... Args>
  void emplace(Args&&... args) {
    items_.emplace(std::forward<Args>(args)...);
  }
  T take() {
    return items_.pop([](T& item) -> T { return std::move(item); });
  }
  void drop() { items_.drop(); }

 private:
  ItemHeap<T, Compare> items_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_ITEM_STORE_H_
