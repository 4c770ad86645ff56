#include "asyncio/streams/internal/descriptor_domain.h"

#include <memory>
#include <utility>

#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"

namespace asyncio::internal {

void DescriptorOwner::enter(DescriptorDomain& domain) {
  DescriptorOwner& list = domain.list_;
  prev_ = list.prev_;
  next_ = &list;
  prev_->next_ = this;
  list.prev_ = this;
}

void DescriptorOwner::leave() noexcept {
  if (next_ == nullptr) return;
  prev_->next_ = next_;
  next_->prev_ = prev_;
  prev_ = next_ = nullptr;
}

DescriptorDomain::DescriptorDomain() : scratch_(new char[kScratchSize]) {
  list_.prev_ = list_.next_ = &list_;
}

void DescriptorDomain::loop_closed() {
  while (list_.next_ != &list_) {
    DescriptorOwner& owner = *list_.next_;
    owner.leave();
    owner.loop_closed();
  }
}

DescriptorDomain& DescriptorDomain::make(EventLoop& loop) {
  auto domain = std::make_unique<DescriptorDomain>();
  DescriptorDomain& result = *domain;
  LoopAccess::attach(loop, AttachmentSlot::kDescriptors, std::move(domain));
  return result;
}

}  // namespace asyncio::internal
