// Memory for coroutine frames, tasks and callbacks: a free list for each size
// class and thread.
//
// A block freed on another thread than it came from goes to that thread's list.
// One that is full is put aside whole; where one was put aside before, that one
// goes to a shared depot, from which a thread that runs dry is served: so a stream
// of blocks from one thread to another does not grow without bound, and nobody
// walks a list. Memory is kept for reuse, never returned to the system before the
// program ends.
//
// Blocks above kLargest bytes come from operator new. Under AddressSanitizer all
// do, so that a use after free is seen.
//
// Cost: some ten instructions for either call.
#ifndef ASYNCIO_BASE_INTERNAL_FRAME_POOL_H_
#define ASYNCIO_BASE_INTERNAL_FRAME_POOL_H_

#include <cstddef>
#include <cstdint>
#include <new>

#include "absl/base/attributes.h"

#if defined(__SANITIZE_ADDRESS__)
#define ASYNCIO_INTERNAL_POOL 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASYNCIO_INTERNAL_POOL 0
#endif
#endif
#ifndef ASYNCIO_INTERNAL_POOL
#define ASYNCIO_INTERNAL_POOL 1
#endif

namespace asyncio::internal {

class FramePool {
 public:
  // A block is aligned like its size: one of an odd number of grains to 8 bytes,
  // others to 16. No type asks for more, but for those that are over-aligned.
  static constexpr size_t kGrain = 8;
  static constexpr size_t kLargest = 1024;
  static constexpr size_t kClasses = kLargest / kGrain + 1;
  // How many blocks of one class a list has room for; they travel to and from the
  // depot together.
  static constexpr int32_t kBatch = 256;

  // Whether allocate() would do no more than take a block off its list.
  static bool has_block(size_t size) {
#if ASYNCIO_INTERNAL_POOL
    const size_t c = class_of(size);
    return c < kClasses && local_.lists[c].head != nullptr;
#else
    return size == 0;  // never
#endif
  }

  static void* allocate(size_t size) {
#if ASYNCIO_INTERNAL_POOL
    const size_t c = class_of(size);
    if (c < kClasses) [[likely]] {
      List& list = local_.lists[c];
      if (Block* block = list.head) [[likely]] {
        list.head = block->next;
        ++list.room;
        return block;
      }
      return refill(c);
    }
#endif
    return ::operator new(size);
  }

  ABSL_ATTRIBUTE_ALWAYS_INLINE
  static void deallocate(void* p, size_t size) noexcept {
#if ASYNCIO_INTERNAL_POOL
    const size_t c = class_of(size);
    if (c < kClasses) [[likely]] {
      List& list = local_.lists[c];
      Block* block = static_cast<Block*>(p);
      block->next = list.head;
      list.head = block;
      if (--list.room == 0) [[unlikely]] put_aside(c);
      return;
    }
#endif
    ::operator delete(p, size);
  }

 private:
  struct Block {
    Block* next;
  };
  struct List {
    constexpr List() : head(nullptr), room(1) {}
    Block* head;
    int32_t room;  // for how many blocks more; for one before the first
  };
  struct Lists {
    List lists[kClasses];
    Block* aside[kClasses] = {};  // a full list, or null
  };

  static size_t class_of(size_t size) { return (size + kGrain - 1) / kGrain; }
  static void* refill(size_t c);
  static void put_aside(size_t c) noexcept;

  friend class ThreadGuard;
  static constinit thread_local Lists local_;
};
inline constinit thread_local FramePool::Lists FramePool::local_;

// Gives a class, its derived classes included, the pool's memory. The sized
// delete is given the dynamic type's size where the destructor is virtual.
class Pooled {
 public:
  static void* operator new(size_t size) { return FramePool::allocate(size); }
  static void operator delete(void* p, size_t size) noexcept {
    FramePool::deallocate(p, size);
  }
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_BASE_INTERNAL_FRAME_POOL_H_
