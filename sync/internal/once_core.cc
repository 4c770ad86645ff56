#include "asyncio/sync/internal/once_core.h"

#include <string>
#include <string_view>

#include "asyncio/base/exceptions.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {
namespace {

const char* primitive(const WaiterKind& kind) {
  return std::string_view(kind.name) == "Once.call" ? "Once" : "OnceCell";
}

}  // namespace

void OnceCore::finish() {
  state_ = kDone;
  runner_ = nullptr;
  waiters_.wake_all();
}

OnceCore::Running::Running(OnceCore& core)
    : core_(core), tether_(core.anchor_), kind_(core.kind_) {
  core.runner_ = step_task();
}

OnceCore::Running::~Running() {
  if (!tether_.holds() || core_.state_ != kRunning) return;
  core_.state_ = kEmpty;
  core_.runner_ = nullptr;
  core_.waiters_.wake_front();
}

void OnceCore::Running::check_alive() const {
  if (!tether_.holds()) {
    throw RuntimeError(std::string("the ") + primitive(kind_) +
                       " was destroyed while it was initialized");
  }
}

OnceCore::Turn::~Turn() {
  if (node_.waits() && node_.leave()) [[unlikely]] pass_on();
}

bool OnceCore::Turn::await_ready() {
  if (core_.state_ == kDone) return true;
  if (core_.state_ == kEmpty && !core_.waiters_.any_live()) {
    core_.state_ = kRunning;
    return true;
  }
  if (core_.runner_ == step_task()) {
    throw RuntimeError(std::string(primitive(core_.kind_)) +
                       " is being initialized by this very task");
  }
  core_.binding_.check(primitive(core_.kind_));
  return false;
}

bool OnceCore::Turn::await_resume() {
  if (node_.waits()) {
    if (!node_.leave_woken()) [[unlikely]] {
      if (node_.leave()) pass_on();
      throw_failed_wait(node_.kind());
    }
    if (core_.state_ == kDone) return false;
    core_.state_ = kRunning;
    return true;
  }
  return core_.state_ == kRunning;
}

}  // namespace asyncio::internal
