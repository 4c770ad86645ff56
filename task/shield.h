// shield: awaits something without passing a cancellation on to it.
//
//   Task<> save = create_task(write_all(data));
//   co_await shield(save);      // cancelled here, the write goes on
//
// It is a future that ends as the inner one does, one turn of the loop later.
// An inner one that is done is given back as it is.
//
// Cancellation: of the shield, or of who awaits it, ends the shield alone. An
// inner task that is cancelled by other means cancels the shield.
// Errors: what an inner task throws after its shield was cancelled goes to the
// loop's exception handler, once: "ValueError exception in shielded future".
// Lifetime: the inner task goes on when the handle is dropped, but run()
// cancels it at its end as it does any other.
#ifndef ASYNCIO_TASK_SHIELD_H_
#define ASYNCIO_TASK_SHIELD_H_

#include <string_view>
#include <type_traits>
#include <utility>

#include "asyncio/base/internal/ready_node.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/awaitable.h"
#include "asyncio/task/ensure_future.h"
#include "asyncio/task/future.h"
#include "asyncio/task/internal/done_callback.h"
#include "asyncio/task/internal/future_core.h"

namespace asyncio {

namespace internal {

// What a shield's future does, whatever its type. The unfinished inner future
// holds a share of it, and it holds none of the inner one.
class Shielding : private DoneCallback {
 public:
  Shielding(const Shielding&) = delete;
  Shielding& operator=(const Shielding&) = delete;

 protected:
  explicit Shielding(FutureCore& outer) : outer_(outer) {}
  ~Shielding() = default;

  void begin(FutureCore& inner);
  // The outer future is about to be cancelled.
  void outer_cancelled();

  // The inner future has a result: takes it over. May throw.
  virtual void take_from(FutureCore& inner) = 0;

 private:
  // Its turn comes behind the cancellation of the outer future.
  class Detach final : public ReadyNode {
   public:
    explicit Detach(Shielding& shielding) : shielding_(shielding) {}
    void run() override;
    void drop() noexcept override;

   private:
    Shielding& shielding_;
  };

  void run() override;
  void drop() noexcept override;
  void on_done(FutureCore& inner) noexcept override;
  void on_abandoned() noexcept override;
  void inner_done();
  void detach();

  FutureCore& outer_;
  FutureCore* linked_ = nullptr;  // while it tells us
  Ref<FutureCore> inner_;         // once it is done
  Detach detach_{*this};
};

template <class T, bool kGiven>
class ShieldFuture final : public FutureState<T>, private Shielding {
 public:
  ShieldFuture(EventLoop& loop, FutureCore& inner)
      : FutureState<T>(loop), Shielding(static_cast<FutureCore&>(*this)) {
    begin(inner);
  }

  bool cancel(std::string_view message) override {
    if (this->done()) return false;
    outer_cancelled();
    return FutureState<T>::cancel(message);
  }

 private:
  void take_from(FutureCore& inner) override {
    if constexpr (!std::is_void_v<T>) {
      this->emplace(take_value<T, kGiven>(inner));
    }
  }
};

}  // namespace internal

// RuntimeError("no running event loop") where a task is to be made and no loop
// runs.
template <Runnable A>
auto shield(A&& awaitable) {
  using T = internal::FutureValue<A>;
  EventLoop& loop = internal::loop_of(awaitable);
  internal::Ref<internal::FutureCore> inner =
      internal::future_of(loop, std::forward<A>(awaitable));
  if (inner->done()) return Future<T>(std::move(inner));
  return Future<T>(internal::Ref<internal::FutureCore>::adopt(
      new internal::ShieldFuture<T, !std::is_lvalue_reference_v<A>>(loop,
                                                                    *inner)));
}

}  // namespace asyncio

#endif  // ASYNCIO_TASK_SHIELD_H_
