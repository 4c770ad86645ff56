#include "asyncio/base/internal/frame_pool.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <sys/mman.h>
#include <utility>

#if ASYNCIO_INTERNAL_POOL

namespace asyncio::internal {

struct Depot {
  struct Shelf {
    void* chains = nullptr;  // full lists, linked by the second word of their heads
    void* rest = nullptr;    // loose blocks of ended threads, linked by the first
    // What is left of the newest chunk, and how many bytes the next will have:
    // twice as many, up to kLargestChunk.
    char* fresh = nullptr;
    size_t fresh_blocks = 0;
    size_t chunk_bytes = 4096;
  };
  std::mutex mutex;
  Shelf shelves[FramePool::kClasses];
  void* chunks = nullptr;  // all that was ever taken from the system
};

namespace {

// A huge page, where the system has them: the first touch of a page costs as much as
// several spawns, and this one is touched once.
constexpr size_t kLargestChunk = 2 * 1024 * 1024;

// The head of a chunk, and the smallest block: what holds two words.
constexpr size_t kTwoWords = 16;

char* take_chunk(size_t bytes) {
  if (bytes < kLargestChunk) return static_cast<char*>(::operator new(bytes));
  void* chunk = ::operator new(bytes, std::align_val_t{kLargestChunk});
  // A wish: where it is not granted, the pages are small ones.
  madvise(chunk, bytes, MADV_HUGEPAGE);
  return static_cast<char*>(chunk);
}

// Never destroyed: threads may end after the program's statics.
Depot& depot() {
  static Depot* const instance = new Depot;
  return *instance;
}

void*& word(void* block, size_t index) {
  return static_cast<void**>(block)[index];
}

void put_on(Depot::Shelf& shelf, void* chain) {
  word(chain, 1) = shelf.chains;
  shelf.chains = chain;
}

}  // namespace

// Puts a thread's blocks in the depot when the thread ends.
class ThreadGuard {
 public:
  ThreadGuard() = default;
  ~ThreadGuard() {
    Depot& d = depot();
    std::lock_guard lock(d.mutex);
    for (size_t c = 0; c < FramePool::kClasses; ++c) {
      FramePool::List& list = FramePool::local_.lists[c];
      while (FramePool::Block* block = list.head) {
        list.head = block->next;
        word(block, 0) = d.shelves[c].rest;
        d.shelves[c].rest = block;
      }
      list.room = FramePool::kBatch;
      if (void* chain = std::exchange(FramePool::local_.aside[c], nullptr)) {
        put_on(d.shelves[c], chain);
      }
    }
  }
  void touch() {}
};

namespace {
thread_local ThreadGuard thread_guard;
}  // namespace

void* FramePool::refill(size_t c) {
  List& list = local_.lists[c];
  const auto take_from = [&list](void* chain) {
    list.head = static_cast<Block*>(word(chain, 0));
    list.room = 1;
    return chain;
  };
  if (void* chain = std::exchange(local_.aside[c], nullptr)) {
    return take_from(chain);
  }
  thread_guard.touch();
  Depot& d = depot();
  std::lock_guard lock(d.mutex);
  Depot::Shelf& shelf = d.shelves[c];
  if (void* chain = shelf.chains) {
    shelf.chains = word(chain, 1);
    return take_from(chain);
  }
  if (void* block = shelf.rest) {
    shelf.rest = word(block, 0);
    list.room = kBatch;
    return block;
  }
  const size_t size = std::max(c * kGrain, kTwoWords);
  if (shelf.fresh_blocks == 0) {
    char* chunk = take_chunk(shelf.chunk_bytes);
    word(chunk, 0) = d.chunks;
    d.chunks = chunk;
    shelf.fresh = chunk + kTwoWords;
    shelf.fresh_blocks = (shelf.chunk_bytes - kTwoWords) / size;
    shelf.chunk_bytes = std::min(2 * shelf.chunk_bytes, kLargestChunk);
  }
  // In address order: neighbours in time are neighbours in memory.
  const size_t count = std::min<size_t>(shelf.fresh_blocks, size_t{kBatch});
  char* const first = shelf.fresh;
  char* const end = first + count * size;
  for (char* block = first; block != end; block += size) {
    word(block, 0) = block + size;
  }
  word(end - size, 0) = nullptr;
  shelf.fresh = end;
  shelf.fresh_blocks -= count;
  list.head = static_cast<Block*>(word(first, 0));
  list.room = kBatch - static_cast<int32_t>(count - 1);
  return first;
}

// The list is full, or has its first block.
void FramePool::put_aside(size_t c) noexcept {
  thread_guard.touch();
  List& list = local_.lists[c];
  if (list.head->next == nullptr) {
    list.room = kBatch - 1;
    return;
  }
  list.room = kBatch;
  Block* const full = std::exchange(list.head, nullptr);
  Block* const before = std::exchange(local_.aside[c], full);
  if (before == nullptr) return;
  Depot& d = depot();
  std::lock_guard lock(d.mutex);
  put_on(d.shelves[c], before);
}

}  // namespace asyncio::internal

#endif  // ASYNCIO_INTERNAL_POOL
