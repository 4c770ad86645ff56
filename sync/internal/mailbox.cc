#include "asyncio/sync/internal/mailbox.h"

#include <memory>
#include <mutex>
#include <utility>

#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"

namespace asyncio::internal {
namespace {

// The loop's share of its mailbox. A thread's post may be in the loop's queue
// for longer.
class MailboxAttachment final : public LoopAttachment {
 public:
  explicit MailboxAttachment(EventLoop& loop)
      : mailbox(std::make_shared<Mailbox>(loop)) {}
  void loop_destroyed() override { mailbox->cut_off(); }

  const std::shared_ptr<Mailbox> mailbox;
};

}  // namespace

Mailbox::Mailbox(EventLoop& loop) : loop_(loop) {
  letters_.prev_ = letters_.next_ = &letters_;
}

Mailbox& Mailbox::of(EventLoop& loop) {
  LoopAttachment* found =
      LoopAccess::attachment(loop, AttachmentSlot::kMailbox);
  if (found == nullptr) {
    auto attachment = std::make_unique<MailboxAttachment>(loop);
    found = attachment.get();
    LoopAccess::attach(loop, AttachmentSlot::kMailbox, std::move(attachment));
  }
  return *static_cast<MailboxAttachment*>(found)->mailbox;
}

bool Mailbox::deliver(Letter& letter) {
  std::lock_guard lock(mutex_);
  if (cut_off_ || loop_.is_closed()) return false;
  letter.prev_ = letters_.prev_;
  letter.next_ = &letters_;
  letters_.prev_->next_ = &letter;
  letters_.prev_ = &letter;
  if (self_) return true;
  self_ = shared_from_this();
  if (LoopAccess::post(loop_, *this)) return true;
  self_ = nullptr;
  unlink(letter);
  return false;
}

void Mailbox::take_back(Letter& letter) noexcept {
  std::lock_guard lock(mutex_);
  if (letter.next_ != nullptr) unlink(letter);
}

void Mailbox::cut_off() noexcept {
  std::lock_guard lock(mutex_);
  cut_off_ = true;
}

void Mailbox::run() {
  std::shared_ptr<Mailbox> self;
  std::lock_guard lock(mutex_);
  // Before the lock goes, the mailbox is not to.
  self = std::move(self_);
  while (Letter* letter = pop()) letter->delivered();
}

// Without the lock: what is undeliverable is for somebody else, who may be
// served by this very mailbox.
void Mailbox::drop() noexcept {
  std::shared_ptr<Mailbox> self;
  while (true) {
    Letter* letter;
    {
      std::lock_guard lock(mutex_);
      if (!self) self = std::move(self_);
      letter = pop();
    }
    if (letter == nullptr) return;
    letter->undeliverable();
  }
}

Letter* Mailbox::pop() noexcept {
  Letter* letter = letters_.next_;
  if (letter == &letters_) return nullptr;
  unlink(*letter);
  return letter;
}

void Mailbox::unlink(Letter& letter) noexcept {
  letter.prev_->next_ = letter.next_;
  letter.next_->prev_ = letter.prev_;
  letter.prev_ = letter.next_ = nullptr;
}

}  // namespace asyncio::internal
