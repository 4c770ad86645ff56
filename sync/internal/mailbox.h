// Mailbox: how other threads wake the tasks of one loop. Each loop in which a
// task waits for other threads has one.
//
// Between the moment at which a thread chooses a waiter and the turn of its
// task, the waiter is in its loop's mailbox, and it can be taken out again: so
// a frame may go while its wake-up is on its way. Of many wake-ups that the
// loop has not looked at yet only the first posts.
#ifndef ASYNCIO_SYNC_INTERNAL_MAILBOX_H_
#define ASYNCIO_SYNC_INTERNAL_MAILBOX_H_

#include <memory>
#include <mutex>

#include "asyncio/base/internal/ready_node.h"
#include "asyncio/loop/event_loop.h"

namespace asyncio::internal {

// What is delivered. It lives in the awaiting frame.
class Letter {
 public:
  Letter(const Letter&) = delete;
  Letter& operator=(const Letter&) = delete;

 protected:
  Letter() = default;
  ~Letter() = default;

 private:
  friend class Mailbox;
  // The loop's thread, while the mailbox is locked: wakes the task, no more.
  virtual void delivered() noexcept = 0;
  // The loop was closed first. The letter is out of the mailbox.
  virtual void undeliverable() noexcept = 0;

  // Guarded by the mailbox's mutex. `next_` is null while it is in none.
  Letter* prev_ = nullptr;
  Letter* next_ = nullptr;
};

class Mailbox final : public ReadyNode,
                      public std::enable_shared_from_this<Mailbox> {
 public:
  explicit Mailbox(EventLoop& loop);

  // The loop's thread. It stays until the loop's tasks are gone.
  static Mailbox& of(EventLoop& loop);

  // Any thread. False where the loop is closed; the letter is not taken.
  bool deliver(Letter& letter);
  // The loop's thread. Does nothing where the letter is not in it.
  void take_back(Letter& letter) noexcept;

  // The loop is being destroyed: nothing is taken any more.
  void cut_off() noexcept;

 private:
  class Head final : public Letter {
   public:
    Head() = default;

   private:
    friend class Mailbox;
    void delivered() noexcept override {}
    void undeliverable() noexcept override {}
  };

  void run() override;
  void drop() noexcept override;
  // Requires the mutex; null where it is empty.
  Letter* pop() noexcept;
  static void unlink(Letter& letter) noexcept;

  EventLoop& loop_;
  std::mutex mutex_;  // guards the rest
  bool cut_off_ = false;
  Head letters_;                   // a ring, in the order of delivery
  std::shared_ptr<Mailbox> self_;  // while it is in the loop's queue
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_MAILBOX_H_
