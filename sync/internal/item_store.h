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

template <class T>
class FifoStore {
 public:
  static constexpr bool kNeverThrows = std::is_nothrow_move_constructible_v<T>;

  template <class... Args>
  void emplace(Args&&... args) {
    items_.emplace_back(std::forward<Args>(args)...);
  }
  T take() {
    struct Pop {
      ~Pop() {
        if (success) items.pop_front();
      }
      BlockList<T>& items;
      Success<kNeverThrows> success = {};
    } pop{items_};
    return std::move(items_.front());
  }
  void drop() { items_.pop_front(); }

 private:
  BlockList<T> items_;
};

template <class T>
class LifoStore {
 public:
  static constexpr bool kNeverThrows = std::is_nothrow_move_constructible_v<T>;

  template <class... Args>
  void emplace(Args&&... args) {
    items_.emplace_back(std::forward<Args>(args)...);
  }
  T take() {
    struct Pop {
      ~Pop() {
        if (success) items.pop_back();
      }
      BlockList<T>& items;
      Success<kNeverThrows> success = {};
    } pop{items_};
    return std::move(items_.back());
  }
  void drop() { items_.pop_back(); }

 private:
  BlockList<T> items_;
};

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
