// SignalRegistry: the signals of one loop.
//
// A process-wide handler counts deliveries per signal and notifies the owner's
// Wakeup, which lives on when the loop is gone; both are safe in a signal handler.
// The loop looks at the counts when it was called.
#ifndef ASYNCIO_LOOP_INTERNAL_SIGNALS_H_
#define ASYNCIO_LOOP_INTERNAL_SIGNALS_H_

#include <cstdint>
#include <map>

#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/handle.h"
#include "asyncio/loop/internal/ready_queue.h"
#include "asyncio/loop/internal/wakeup.h"

namespace asyncio::internal {

// Throws where `sig` is no signal.
void check_signal(int sig);

class SignalRegistry {
 public:
  SignalRegistry(Wakeup& wakeup, ReadyQueue& ready);
  ~SignalRegistry();

  // `insistent`: its calls come before all that is ready, as the interpreter's would;
  // and where SIGINT stays unseen, the third has its default effect.
  void add(int sig, Ref<CallbackNode> callback, bool insistent);
  bool remove(int sig);
  // Whether `callback` is what was added last for `sig`.
  bool has(int sig, const CallbackNode* callback) const;

  // Makes what was delivered since the last time ready: one call for each
  // delivery.
  void collect();

 private:
  // Runs a signal's callback once for each delivery.
  class Call;

  Wakeup& wakeup_;
  ReadyQueue& ready_;
  std::map<int, Ref<Call>> calls_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_LOOP_INTERNAL_SIGNALS_H_
