#include "asyncio/loop/internal/signals.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/handle.h"
#include "asyncio/loop/internal/ready_queue.h"

namespace asyncio::internal {

void count_delivery() noexcept { SignalRegistry::deliveries.fetch_add(1); }

namespace {

// How many Ctrl-C may wait for the loop to look.
constexpr uint64_t kUnseenInterrupts = 2;

// What the handler touches: lock-free, and never destroyed.
struct Slot {
  std::atomic<uint64_t> deliveries{0};
  std::atomic<int> wake_fd{-1};
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
  if (slot.deliveries.fetch_add(1) >= kUnseenInterrupts && sig == SIGINT) {
    // The loop is stuck in somebody's code: Ctrl-C must still end the program.
    signal(SIGINT, SIG_DFL);
    raise(SIGINT);
  }
  count_delivery();
  const int fd = slot.wake_fd.load();
  if (fd >= 0) {
    const uint64_t one = 1;
    [[maybe_unused]] ssize_t n = write(fd, &one, sizeof one);
  }
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
  if (sig < 1 || sig >= NSIG) {
    throw ValueError("invalid signal number " + std::to_string(sig));
  }
}

class SignalRegistry::Call final : public ReadyNode {
 public:
  explicit Call(Ref<CallbackNode> callback) : callback_(std::move(callback)) {}

  // One call in this iteration; what is left waits for the next.
  void add(uint64_t deliveries, ReadyQueue& ready) {
    left_ += deliveries;
    ready_ = &ready;
    if (left_ > 0 && !queued()) {
      retain();
      ready.push(*this);
    }
  }
  void end() { callback_ = nullptr; }
  bool calls(const CallbackNode* callback) const {
    return callback_.get() == callback;
  }

  void run() override {
    Ref<Call> share = Ref<Call>::adopt(this);
    if (!callback_) return;
    if (--left_ > 0) {
      retain();
      ready_->push(*this);
    }
    Ref<CallbackNode> callback = callback_;
    callback->call_guarded();
  }
  void drop() noexcept override { release(); }

  void retain() { ++references_; }
  void release() {
    if (--references_ == 0) delete this;
  }

 private:
  ~Call() = default;

  Ref<CallbackNode> callback_;
  ReadyQueue* ready_ = nullptr;
  uint64_t left_ = 0;
  uint32_t references_ = 1;
};

SignalRegistry::SignalRegistry(int wake_fd, ReadyQueue& ready)
    : wake_fd_(wake_fd), ready_(ready) {}

SignalRegistry::~SignalRegistry() {
  while (!calls_.empty()) remove(calls_.begin()->first);
}

void SignalRegistry::add(int sig, Ref<CallbackNode> callback) {
  check_signal(sig);
  std::lock_guard lock(owners_mutex());
  Slot& slot = slots[static_cast<size_t>(sig)];
  if (slot.owner == nullptr) {
    slot.deliveries.store(0);
    slot.wake_fd.store(wake_fd_);
    try {
      set_action(sig, on_signal);
    } catch (...) {
      slot.wake_fd.store(-1);
      throw;
    }
  }
  slot.owner = this;
  slot.wake_fd.store(wake_fd_);
  auto call = Ref<Call>::adopt(new Call(std::move(callback)));
  auto [place, fresh] = calls_.try_emplace(sig, call);
  if (!fresh) {
    place->second->end();
    place->second = std::move(call);
  }
}

bool SignalRegistry::remove(int sig) {
  auto place = calls_.find(sig);
  if (place == calls_.end()) return false;
  place->second->end();
  calls_.erase(place);
  std::lock_guard lock(owners_mutex());
  Slot& slot = slots[static_cast<size_t>(sig)];
  if (slot.owner == this) {
    set_action(sig, SIG_DFL);
    slot.owner = nullptr;
    slot.wake_fd.store(-1);
  }
  return true;
}

bool SignalRegistry::has(int sig, const CallbackNode* callback) const {
  auto place = calls_.find(sig);
  return place != calls_.end() && place->second->calls(callback);
}

void SignalRegistry::collect_calls() {
  // Before the counts are taken: what comes now is seen the next time.
  seen_ = deliveries.load();
  for (auto& [sig, call] : calls_) {
    Slot& slot = slots[static_cast<size_t>(sig)];
    if (slot.deliveries.load(std::memory_order_relaxed) == 0) continue;
    {
      std::lock_guard lock(owners_mutex());
      if (slot.owner != this) continue;
    }
    call->add(slot.deliveries.exchange(0), ready_);
  }
}

}  // namespace asyncio::internal
