#include "asyncio/base/internal/frame_pool.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>

#if ASYNCIO_INTERNAL_POOL

namespace asyncio::internal {

// Chains of kBatch blocks of one class that some thread had too many of.
struct Depot {
  struct Shelf {
    void* chains = nullptr;  // linked through the second word of their heads
    void* rest = nullptr;    // loose blocks of ended threads, linked by the first
    size_t chunk_bytes = 4096;  // of the next chunk: doubles up to kLargestChunk
  };
  std::mutex mutex;
  Shelf shelves[FramePool::kClasses];
  void* chunks = nullptr;  // all that was ever taken from the system
};

namespace {

constexpr size_t kLargestChunk = 64 * 1024;

// Never destroyed: threads may end after the program's statics.
Depot& depot() {
  static Depot* const instance = new Depot;
  return *instance;
}

void*& word(void* block, size_t index) {
  return static_cast<void**>(block)[index];
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
      list.length = 0;
    }
  }
  void touch() {}
};

namespace {
thread_local ThreadGuard thread_guard;
}  // namespace

void* FramePool::refill(size_t c) {
  c = std::max<size_t>(c, 1);
  List& list = local_.lists[c];
  thread_guard.touch();
  Depot& d = depot();
  std::lock_guard lock(d.mutex);
  Depot::Shelf& shelf = d.shelves[c];
  if (void* chain = shelf.chains) {
    shelf.chains = word(chain, 1);
    list.head = static_cast<Block*>(word(chain, 0));
    list.length = kBatch - 1;
    return chain;
  }
  if (void* block = shelf.rest) {
    shelf.rest = word(block, 0);
    return block;
  }
  const size_t size = c * kGrain;
  const size_t count = (shelf.chunk_bytes - kGrain) / size;
  char* chunk = static_cast<char*>(::operator new(shelf.chunk_bytes));
  shelf.chunk_bytes = std::min(2 * shelf.chunk_bytes, kLargestChunk);
  word(chunk, 0) = d.chunks;
  d.chunks = chunk;
  // In address order: neighbours in time are neighbours in memory.
  char* first = chunk + kGrain;
  for (size_t i = count; i-- > 1;) {
    Block* block = reinterpret_cast<Block*>(first + i * size);
    block->next = list.head;
    list.head = block;
  }
  list.length += static_cast<uint32_t>(count - 1);
  return first;
}

void FramePool::hand_over(size_t c) noexcept {
  thread_guard.touch();
  List& list = local_.lists[c];
  Block* chain = list.head;
  Block* last = chain;
  for (uint32_t i = 1; i < kBatch; ++i) last = last->next;
  list.head = last->next;
  list.length -= kBatch;
  last->next = nullptr;
  Depot& d = depot();
  std::lock_guard lock(d.mutex);
  word(chain, 1) = d.shelves[c].chains;
  d.shelves[c].chains = chain;
}

}  // namespace asyncio::internal

#endif  // ASYNCIO_INTERNAL_POOL
