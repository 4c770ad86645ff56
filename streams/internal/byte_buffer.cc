#include "asyncio/streams/internal/byte_buffer.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <new>

#include "asyncio/base/internal/frame_pool.h"

namespace asyncio::internal {
namespace {

constexpr size_t kSmallest = 256;
// Up to here the thread's pool of frames serves, from there to kLargest the lists
// below, beyond it the system.
constexpr size_t kPooled = FramePool::kLargest;
constexpr size_t kLargest = 128 * 1024;
constexpr size_t kClasses =
    std::bit_width(kLargest) - std::bit_width(kPooled);
// Bytes that a thread keeps of one class.
constexpr size_t kKept = 256 * 1024;

struct Free {
  Free* next;
};
struct List {
  Free* head;
  size_t bytes;
};
// Without a destructor: the buffers of static objects are destroyed after it.
constinit thread_local List lists[kClasses] = {};
constinit thread_local bool thread_ended = false;

size_t class_of(size_t size) {
  return std::bit_width(size) - std::bit_width(kPooled) - 1;
}

// Frees what a thread kept when it ends.
class ThreadEnd {
 public:
  ~ThreadEnd() {
    thread_ended = true;
    for (List& list : lists) {
      while (Free* block = list.head) {
        list.head = block->next;
        ::operator delete(block);
      }
    }
  }
  void touch() {}
};
thread_local ThreadEnd thread_end;

}  // namespace

BlockCache::Block BlockCache::take(size_t size) {
  size = std::max(kSmallest, std::bit_ceil(size));
  if (size <= kPooled) {
    return {static_cast<char*>(FramePool::allocate(size)), size};
  }
  if (size <= kLargest) {
    List& list = lists[class_of(size)];
    if (Free* block = list.head) {
      list.head = block->next;
      list.bytes -= size;
      return {reinterpret_cast<char*>(block), size};
    }
  }
  return {static_cast<char*>(::operator new(size)), size};
}

void BlockCache::give_back(Block block) noexcept {
  // The size that a short message comes and goes with: known here, it is found
  // in the pool without a search for its class.
  if (block.size == kSmallest) [[likely]] {
    FramePool::deallocate(block.data, kSmallest);
    return;
  }
  if (block.size <= kPooled) {
    FramePool::deallocate(block.data, block.size);
    return;
  }
#if ASYNCIO_INTERNAL_POOL
  if (block.size <= kLargest && !thread_ended) {
    List& list = lists[class_of(block.size)];
    if (list.bytes + block.size <= kKept) {
      thread_end.touch();
      list.head = new (block.data) Free{list.head};
      list.bytes += block.size;
      return;
    }
  }
#endif
  ::operator delete(block.data);
}

void ByteBuffer::prepend(const char* data, size_t size) {
  const BlockCache::Block block = BlockCache::take(size + this->size());
  std::memcpy(block.data, data, size);
  const size_t live = this->size();
  if (live != 0) std::memcpy(block.data + size, this->data(), live);
  clear();
  block_ = block.data;
  capacity_ = block.size;
  end_ = size + live;
}

void ByteBuffer::make_room(size_t size) {
  if (block_ == nullptr && size <= kSmallest) [[likely]] {
    block_ = static_cast<char*>(FramePool::allocate(kSmallest));
    capacity_ = kSmallest;
    return;
  }
  const size_t live = this->size();
  // Moving pays where as many bytes went out as are moved.
  if (begin_ >= live && size <= capacity_ - live) {
    std::memcpy(block_, block_ + begin_, live);
  } else {
    const BlockCache::Block block =
        BlockCache::take(live + size);
    if (block_ != nullptr) {
      std::memcpy(block.data, block_ + begin_, live);
      BlockCache::give_back({block_, capacity_});
    }
    block_ = block.data;
    capacity_ = block.size;
  }
  begin_ = 0;
  end_ = live;
}

}  // namespace asyncio::internal
