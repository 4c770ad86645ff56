#include "asyncio/streams/internal/descriptor_domain.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"

namespace asyncio::internal {

void DescriptorOwner::enter(DescriptorDomain& domain, int fd) {
  domain.check_unused(fd);
  const auto place = static_cast<size_t>(fd);
  if (domain.owners_.size() <= place) domain.owners_.resize(place + 1);
  domain.owners_[place] = this;
  domain_ = &domain;
  fd_ = fd;
}

void DescriptorOwner::leave() noexcept {
  if (domain_ == nullptr) return;
  domain_->owners_[static_cast<size_t>(fd_)] = nullptr;
  domain_ = nullptr;
}

DescriptorDomain::DescriptorDomain() : scratch_(new char[kScratchSize]) {}

void DescriptorDomain::loop_closed() {
  for (size_t i = 0; i < owners_.size(); ++i) {
    if (DescriptorOwner* owner = owners_[i]) {
      owner->leave();
      owner->loop_closed();
    }
  }
}

void DescriptorDomain::check_unused(int fd) const {
  const auto place = static_cast<size_t>(fd);
  if (place >= owners_.size() || owners_[place] == nullptr) [[likely]] return;
  throw RuntimeError("File descriptor " + std::to_string(fd) +
                     " is used by transport " + owners_[place]->describe());
}

DescriptorDomain& DescriptorDomain::make(EventLoop& loop) {
  auto domain = std::make_unique<DescriptorDomain>();
  DescriptorDomain& result = *domain;
  LoopAccess::attach(loop, AttachmentSlot::kDescriptors, std::move(domain));
  return result;
}

}  // namespace asyncio::internal
