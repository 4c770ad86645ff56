// cancel_everywhere: proves that a coroutine can be cancelled at any moment.
//
//   TEST(LockTest, CanBeCancelledAnywhere) {
//     cancel_everywhere([](CancelScene& scene) -> Coroutine<> {
//       auto lock = std::make_shared<Lock>();
//       scene.start([lock]() -> Coroutine<> {            // what is cancelled
//         co_await with(*lock, [] { return sleep(1s); });
//       });
//       co_await scene.ended();
//       EXPECT_FALSE(lock->locked());                    // nothing is lost
//     });
//   }
//
// The scene is played again and again, each time on a fresh loop with a virtual
// clock: first without a cancellation, which counts the loop's turns until the
// started task has ended; then with a cancel() of that task before its first turn,
// before its second, and so on to its last: while it waits, and while it is woken
// and has not run; then, for each of these, with a second cancel() before each of
// the turns that its cleanup takes.
//
// A round fails the test where the scene hangs, leaves a task unfinished, throws,
// or makes the loop report anything. What else must hold the scene checks itself
// when scene.ended() gives it control back; leaks are AddressSanitizer's to find.
//
// Cost: for a task of n turns some n * n / 2 rounds; keep scenes short.
#ifndef ASYNCIO_TESTING_CANCEL_EVERYWHERE_H_
#define ASYNCIO_TESTING_CANCEL_EVERYWHERE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "asyncio/base/any_future.h"
#include "asyncio/base/result.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/awaitable.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/task.h"
#include "asyncio/testing/virtual_clock.h"

namespace asyncio {

// One round, as its scene sees it.
class CancelScene {
 public:
  // Starts the task that is to be cancelled. Once a scene.
  template <Runnable A>
  void start(A&& awaitable) {
    victim_ = drop_value(std::forward<A>(awaitable));
  }
  // Waits for that task. Gives how it ended: well, cancelled, or with what it made
  // of the cancellation.
  Coroutine<Result<>> ended();

  // Whether this round cancels.
  bool cancels() const { return cancels_; }

 private:
  friend class CancelRound;
  template <class A>
  Task<> drop_value(A&& awaitable) {
    return create_task(without_value(internal::to_coroutine(
        std::forward<A>(awaitable))));
  }
  template <class T>
  static Coroutine<> without_value(Coroutine<T> coroutine) {
    co_await std::move(coroutine);
  }

  std::optional<Task<>> victim_;
  bool cancels_ = false;
};

// Makes the loop of one round, on the round's clock.
using CancelLoopFactory =
    std::function<std::unique_ptr<EventLoop>(VirtualClock& clock)>;

// Plays `scene` as told above, on loops of `new_loop` where there is one. Returns
// how many rounds that were.
int cancel_everywhere(const std::function<Coroutine<>(CancelScene&)>& scene,
                      const CancelLoopFactory& new_loop = {});

}  // namespace asyncio

#endif  // ASYNCIO_TESTING_CANCEL_EVERYWHERE_H_
