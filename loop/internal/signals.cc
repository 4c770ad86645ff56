#include "asyncio/loop/internal/signals.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <signal.h>
#include <string>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/handle.h"
#include "asyncio/loop/internal/ready_queue.h"
#include "asyncio/loop/internal/wakeup.h"

namespace asyncio::internal {

namespace {

// How many Ctrl-C may wait for the loop to look.
constexpr uint64_t kUnseenInterrupts = 2;

// What the handler touches: lock-free, and never destroyed.
struct Slot {
  std::atomic<uint64_t> deliveries{0};
  std::atomic<Wakeup*> wakeup{nullptr};
  std::atomic<bool> insistent{false};
  // Guarded by owners_mutex().
  const SignalRegistry* owner = nullptr;
};
constinit std::array<Slot, NSIG> slots;

std::mutex& owners_mutex() {
  static std::mutex* const mutex = new std::mutex;
  return *mutex;
}

extern "C" void on_signal(int sig) {
  const int error = errno;
  Slot& slot = slots[static_cast<size_t>(sig)];
  if (slot.deliveries.fetch_add(1) >= kUnseenInterrupts &&
      slot.insistent.load() && sig == SIGINT) {
    // The loop is stuck in somebody's code: Ctrl-C must still end the program.
    signal(SIGINT, SIG_DFL);
    raise(SIGINT);
  }
  if (Wakeup* wakeup = slot.wakeup.load()) wakeup->notify();
  errno = error;
}

void set_action(int sig, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  if (sigaction(sig, &action, nullptr) != 0) {
    throw RuntimeError("sig " + std::to_string(sig) + " cannot be caught");
  }
}

}  // namespace

void check_signal(int sig) {
  // Those between SIGSYS and SIGRTMIN are the C library's own.
  if (sig < 1 || sig >= NSIG || (sig > SIGSYS && sig < SIGRTMIN)) {
    throw ValueError("invalid signal number " + std::to_string(sig));
  }
}

class SignalRegistry::Call final : public ReadyNode {
 public:
  Call(Ref<CallbackNode> callback, bool insistent)
      : callback_(std::move(callback)), insistent_(insistent) {}

  // As many calls in the next batch; the insistent ones first of all.
  void add(uint64_t deliveries, ReadyQueue& ready) {
    left_ += deliveries;
    ready_ = &ready;
    if (left_ > 0 && !queued()) {
      retain();
      if (insistent_) {
        ready.push_front(*this);
      } else {
        ready.push(*this);
      }
    }
  }
  // Gives up the calls that are left.
  uint64_t take() { return std::exchange(left_, 0); }
  void end() { callback_ = nullptr; }
  bool calls(const CallbackNode* callback) const {
    return callback_.get() == callback;
  }

  void run() override {
    Ref<Call> share = Ref<Call>::adopt(this);
    // An interrupt thrown by one call leaves the others for the next iteration.
    struct Rest {
      Call& call;
      ~Rest() { call.add(0, *call.ready_); }
    } rest{*this};
    while (callback_ && left_ > 0) {
      --left_;
      Ref<CallbackNode> callback = callback_;
      callback->call_guarded();
    }
    if (!callback_) left_ = 0;
  }
  void drop() noexcept override { release(); }

  void retain() { ++references_; }
  void release() {
    if (--references_ == 0) delete this;
  }

 private:
  ~Call() = default;

  Ref<CallbackNode> callback_;
  const bool insistent_;
  ReadyQueue* ready_ = nullptr;
  uint64_t left_ = 0;
  uint32_t references_ = 1;
};

SignalRegistry::SignalRegistry(Wakeup& wakeup, ReadyQueue& ready)
    : wakeup_(wakeup), ready_(ready) {}

SignalRegistry::~SignalRegistry() {
  while (!calls_.empty()) remove(calls_.begin()->first);
}

void SignalRegistry::add(int sig, Ref<CallbackNode> callback, bool insistent) {
  check_signal(sig);
  auto call = Ref<Call>::adopt(new Call(std::move(callback), insistent));
  auto [place, fresh] = calls_.try_emplace(sig);
  try {
    std::lock_guard lock(owners_mutex());
    Slot& slot = slots[static_cast<size_t>(sig)];
    if (slot.owner == nullptr) {
      slot.deliveries.store(0);
      slot.insistent.store(false);
      set_action(sig, on_signal);
    }
    slot.owner = this;
    slot.insistent.store(insistent);
    slot.wakeup.store(&wakeup_);
    // What came before it, to another owner or to none, is this one's.
    if (slot.deliveries.load() > 0) wakeup_.notify();
  } catch (...) {
    if (fresh) calls_.erase(place);
    throw;
  }
  std::swap(place->second, call);
  if (!call) return;
  place->second->add(call->take(), ready_);
  // Last, as what the old callable owns may call back in.
  call->end();
}

bool SignalRegistry::remove(int sig) {
  auto place = calls_.find(sig);
  if (place == calls_.end()) return false;
  const Ref<Call> call = std::move(place->second);
  calls_.erase(place);
  {
    std::lock_guard lock(owners_mutex());
    Slot& slot = slots[static_cast<size_t>(sig)];
    if (slot.owner == this) {
      set_action(sig, SIG_DFL);
      slot.owner = nullptr;
      slot.wakeup.store(nullptr);
    }
  }
  call->end();
  return true;
}

bool SignalRegistry::has(int sig, const CallbackNode* callback) const {
  auto place = calls_.find(sig);
  return place != calls_.end() && place->second->calls(callback);
}

void SignalRegistry::collect() {
  for (auto& [sig, call] : calls_) {
    Slot& slot = slots[static_cast<size_t>(sig)];
    if (slot.deliveries.load(std::memory_order_relaxed) == 0) continue;
    uint64_t deliveries = 0;
    {
      // Until they are taken nobody else becomes their owner.
      std::lock_guard lock(owners_mutex());
      if (slot.owner != this) continue;
      deliveries = slot.deliveries.exchange(0);
    }
    call->add(deliveries, ready_);
  }
}

}  // namespace asyncio::internal
