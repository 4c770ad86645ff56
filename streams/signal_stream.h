// SignalStream: signals to be awaited.
//
//   SignalStream signals({SIGTERM, SIGINT});
//   int sig = co_await signals.next();       // SIGTERM, or SIGINT
//   printf("%s: shutting down\n", strsignal(sig));
//
// From its construction on the signals come here and have no other effect. Each
// delivery is one next(), also where nobody waits at that moment. (The kernel
// merges plain signals that are pending; those from SIGRTMIN on it queues.)
//
// A signal has one owner: what was added last, a SignalStream or an
// add_signal_handler() of any loop. When a stream ends, its signals have their
// default action again, but for those that another one took over.
//
// Order: as the loop sees them; of several in one turn by number. Of several
// tasks, first come, first served.
// Cancellation: at once; no signal is lost.
// Errors: ValueError where a number is no signal, RuntimeError where it cannot
// be caught.
// Lifetime: movable, not copyable. Destroyed, or closed, while a task waits in
// next(), it throws RuntimeError there.
// Threads: that of the loop that runs when it is made.
#ifndef ASYNCIO_STREAMS_SIGNAL_STREAM_H_
#define ASYNCIO_STREAMS_SIGNAL_STREAM_H_

#include <concepts>
#include <memory>
#include <vector>

#include "asyncio/task/coroutine.h"

namespace asyncio {

// {SIGTERM, SIGINT}
class SignalSet {
 public:
  template <std::same_as<int>... Signals>
  SignalSet(Signals... signals) : signals_{signals...} {}  // NOLINT: implicit

  const std::vector<int>& signals() const { return signals_; }

 private:
  std::vector<int> signals_;
};

class SignalStream {
 public:
  explicit SignalStream(const SignalSet& signals);
  SignalStream(SignalStream&&) noexcept = default;
  SignalStream& operator=(SignalStream&&) noexcept;
  ~SignalStream() { close(); }

  // -> the number of the next signal.
  Coroutine<int> next() const;

  // Gives the signals up, as the destructor does.
  void close() noexcept;

 private:
  class State;
  static Coroutine<int> run_next(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;  // null once it was closed or moved from
};

}  // namespace asyncio

#endif  // ASYNCIO_STREAMS_SIGNAL_STREAM_H_
