#include "asyncio/streams/signal_stream.h"

#include <map>
#include <memory>
#include <utility>

#include "asyncio/base/context.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/handle.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/sync/queue.h"
#include "asyncio/task/coroutine.h"

namespace asyncio {

using internal::CallbackNode;
using internal::LoopAccess;
using internal::Ref;

// Kept by the stream and by each next() that is under way.
class SignalStream::State {
 public:
  explicit State(const SignalSet& signals) : loop_(get_running_loop()) {
    LoopAccess::retain(loop_);
    try {
      for (int sig : signals.signals()) {
        Ref<CallbackNode> node = internal::make_callback(
            loop_, internal::kHeld, internal::ContextSlot::copy_current(),
            [this, sig] { queue.put_nowait(sig); });
        LoopAccess::set_signal_handler(loop_, sig, node, /*insistent=*/false);
        nodes_[sig] = std::move(node);
      }
    } catch (...) {
      close();
      LoopAccess::release(loop_);
      throw;
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { LoopAccess::release(loop_); }

  void close() noexcept {
    queue.shutdown({.immediate = true});
    for (const auto& [sig, node] : nodes_) {
      if (LoopAccess::retired(loop_) || loop_.is_closed()) break;
      if (LoopAccess::has_signal_handler(loop_, sig, node.get())) {
        loop_.remove_signal_handler(sig);
      }
    }
    nodes_.clear();
  }

  Queue<int> queue;

 private:
  EventLoop& loop_;  // its bytes, at least
  // By which it is told whether a signal is still its own.
  std::map<int, Ref<CallbackNode>> nodes_;
};

SignalStream::SignalStream(const SignalSet& signals)
    : state_(std::make_shared<State>(signals)) {}

SignalStream& SignalStream::operator=(SignalStream&& other) noexcept {
  if (this != &other) {
    close();
    state_ = std::move(other.state_);
  }
  return *this;
}

void SignalStream::close() noexcept {
  if (!state_) return;
  state_->close();
  state_ = nullptr;
}

Coroutine<int> SignalStream::next() const {
  if (!state_) throw RuntimeError("the signal stream is closed");
  return run_next(state_);
}

Coroutine<int> SignalStream::run_next(std::shared_ptr<State> state) {
  try {
    co_return co_await state->queue.get();
  } catch (const QueueShutDown&) {
    throw RuntimeError("the signal stream is closed");
  }
}

}  // namespace asyncio
