// ByteBuffer: bytes that come in at the back and go out at the front.
//
// They lie in one piece, so that a search and a send take them as they are. An
// empty buffer has no memory: an idle connection costs none, and the blocks go
// round between the buffers of a thread (BlockCache), so that a steady flow of
// messages allocates nothing.
//
// Cost: append() copies its bytes; what it moves besides is constant on average
// for each byte. consume() moves nothing.
#ifndef ASYNCIO_STREAMS_INTERNAL_BYTE_BUFFER_H_
#define ASYNCIO_STREAMS_INTERNAL_BYTE_BUFFER_H_

#include <cstddef>
#include <cstring>
#include <string_view>

namespace asyncio::internal {

// Blocks of 256 bytes and its multiples by powers of two.
class BlockCache {
 public:
  struct Block {
    char* data;
    size_t size;
  };
  // One of at least `size` bytes.
  static Block take(size_t size);
  static void give_back(Block block) noexcept;
};

class ByteBuffer {
 public:
  ByteBuffer() = default;
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;
  ~ByteBuffer() { clear(); }

  bool empty() const { return begin_ == end_; }
  size_t size() const { return end_ - begin_; }
  const char* data() const { return block_ + begin_; }
  std::string_view view() const { return {data(), size()}; }

  void append(const char* data, size_t size) {
    if (size > capacity_ - end_) make_room(size);
    std::memcpy(block_ + end_, data, size);
    end_ += size;
  }
  // Puts them in front of what there is.
  void prepend(const char* data, size_t size);
  // Drops the first `size` bytes; there are as many.
  void consume(size_t size) {
    begin_ += size;
    if (begin_ == end_) clear();
  }
  void clear() noexcept {
    if (block_ == nullptr) return;
    BlockCache::give_back({block_, capacity_});
    block_ = nullptr;
    begin_ = end_ = capacity_ = 0;
  }

 private:
  void make_room(size_t size);

  char* block_ = nullptr;  // null while it is empty
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t capacity_ = 0;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_BYTE_BUFFER_H_
