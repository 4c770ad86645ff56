// BlockList: a sequence that grows at its back and is taken from at either end.
// What is in it is never moved, so that a move that throws loses nothing.
//
// Cost: O(1). An allocation a block of some 512 bytes, or of eight items; up to 8 KiB
// of blocks that fell empty are kept, so that a steady flow allocates nothing.
#ifndef ASYNCIO_SYNC_INTERNAL_BLOCK_LIST_H_
#define ASYNCIO_SYNC_INTERNAL_BLOCK_LIST_H_

#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>

namespace asyncio::internal {

template <class T>
class BlockList {
 public:
  BlockList() = default;
  BlockList(const BlockList&) = delete;
  BlockList& operator=(const BlockList&) = delete;
  ~BlockList() {
    while (!empty()) pop_front();
    delete first_;
    while (spares_ != nullptr) delete take_spare();
  }

  bool empty() const { return head_ == tail_; }

  // Adds nothing where it throws.
  template <class... Args>
  void emplace_back(Args&&... args) {
    if (tail_ != tail_end_) [[likely]] {
      ::new (static_cast<void*>(tail_)) T(std::forward<Args>(args)...);
      ++tail_;
    } else {
      emplace_in_new_block(std::forward<Args>(args)...);
    }
  }

  // These require !empty().
  T& front() { return *head_; }
  T& back() { return tail_[-1]; }
  void pop_front() noexcept {
    head_->~T();
    ++head_;
    if (head_ == tail_) {
      // The only block, or one that follows it without anything in it.
      head_ = tail_ = first_->items();
    } else if (head_ == head_end_) [[unlikely]] {
      drop_first();
    }
  }
  void pop_back() noexcept {
    --tail_;
    tail_->~T();
    if (head_ == tail_) {
      head_ = tail_ = first_->items();
    } else if (tail_ == last_->items()) [[unlikely]] {
      drop_last();
    }
  }

 private:
  static constexpr size_t kItems =
      sizeof(T) * 8 < 512 ? 512 / sizeof(T) : size_t{8};
  static constexpr size_t kSpares =
      std::max(size_t{1}, 8192 / (kItems * sizeof(T)));

  struct Block {
    T* items() { return reinterpret_cast<T*>(bytes); }
    T* end() { return items() + kItems; }

    Block* prev = nullptr;
    Block* next = nullptr;
    alignas(T) std::byte bytes[kItems * sizeof(T)];
  };

  template <class... Args>
  void emplace_in_new_block(Args&&... args) {
    if (spares_ == nullptr) keep(new Block);
    ::new (static_cast<void*>(spares_->items())) T(std::forward<Args>(args)...);
    Block* block = take_spare();
    block->prev = last_;
    block->next = nullptr;
    if (last_ != nullptr) {
      last_->next = block;
    } else {
      first_ = block;
      head_ = block->items();
      head_end_ = block->end();
    }
    last_ = block;
    tail_ = block->items() + 1;
    tail_end_ = block->end();
  }
  void keep(Block* block) {
    if (room_for_spares_ == 0) {
      delete block;
      return;
    }
    --room_for_spares_;
    block->next = std::exchange(spares_, block);
  }
  Block* take_spare() {
    ++room_for_spares_;
    return std::exchange(spares_, spares_->next);
  }
  void drop_first() {
    Block* block = first_;
    first_ = block->next;
    first_->prev = nullptr;
    keep(block);
    head_ = first_->items();
    head_end_ = first_->end();
  }
  void drop_last() {
    Block* block = last_;
    last_ = block->prev;
    last_->next = nullptr;
    keep(block);
    tail_ = tail_end_ = last_->end();
  }

  // Items are from head_ in first_ to tail_ in last_, without a gap. No block
  // is empty, but for one that is alone.
  T* head_ = nullptr;
  T* head_end_ = nullptr;
  T* tail_ = nullptr;
  T* tail_end_ = nullptr;
  Block* first_ = nullptr;
  Block* last_ = nullptr;
  Block* spares_ = nullptr;
  size_t room_for_spares_ = kSpares;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_BLOCK_LIST_H_
