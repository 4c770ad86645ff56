// DescriptorDomain: what of a loop has a descriptor open: transports, listening
// sockets. Where the loop is closed first, they close theirs, and nobody else
// watches them meanwhile.
#ifndef ASYNCIO_STREAMS_INTERNAL_DESCRIPTOR_DOMAIN_H_
#define ASYNCIO_STREAMS_INTERNAL_DESCRIPTOR_DOMAIN_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"

namespace asyncio::internal {

class DescriptorDomain;

// One for each descriptor, in its loop's table from enter() to leave().
class DescriptorOwner {
 public:
  DescriptorOwner() = default;
  DescriptorOwner(const DescriptorOwner&) = delete;
  DescriptorOwner& operator=(const DescriptorOwner&) = delete;

  // The loop is closed and runs nothing any more: ends the watch, closes the
  // descriptor. Out of the table by then. It may end its own life, but not that
  // of others.
  virtual void loop_closed() noexcept = 0;
  // For the texts of errors.
  virtual std::string describe() const = 0;

 protected:
  ~DescriptorOwner() { leave(); }
  // RuntimeError where another one has the descriptor.
  void enter(DescriptorDomain& domain, int fd);
  void leave() noexcept;

 private:
  friend class DescriptorDomain;
  DescriptorDomain* domain_ = nullptr;  // while it is in its table
  int fd_ = -1;
};

// The loop's thread.
class DescriptorDomain final : public LoopAttachment {
 public:
  // Where bytes are received into, before they go to the stream that they are
  // for: one for the loop, so that a connection that waits holds no memory.
  static constexpr size_t kScratchSize = 64 * 1024;

  static DescriptorDomain& of(EventLoop& loop) {
    LoopAttachment* found =
        LoopAccess::attachment(loop, AttachmentSlot::kDescriptors);
    if (found == nullptr) [[unlikely]] return make(loop);
    return static_cast<DescriptorDomain&>(*found);
  }

  DescriptorDomain();
  void loop_closed() override;
  void loop_destroyed() override { loop_closed(); }
  void check_unused(int fd) const override;

  char* scratch() { return scratch_.get(); }

 private:
  friend class DescriptorOwner;
  static DescriptorDomain& make(EventLoop& loop);

  std::unique_ptr<char[]> scratch_;
  std::vector<DescriptorOwner*> owners_;  // by their descriptors
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_STREAMS_INTERNAL_DESCRIPTOR_DOMAIN_H_
