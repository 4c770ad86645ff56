#include "asyncio/subprocess/internal/child.h"

#include <cerrno>
#include <memory>
#include <optional>
#include <poll.h>
#include <signal.h>
#include <string>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/exception_context.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/subprocess/internal/process_tree.h"
#include "asyncio/subprocess/internal/spawn.h"
#include "asyncio/sync/internal/wait_queue.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/task_core.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {
namespace {

// As in Python: its status was taken by somebody else, or thrown away because
// SIGCHLD is ignored.
constexpr int kUnknownReturncode = 255;

// How long a loop that is closed waits for a child that it has killed. One that
// the kernel does not let die is left to whoever is its parent next.
constexpr int kLastWaitMilliseconds = 10'000;

int send(int pidfd, int sig) {
  return static_cast<int>(
      syscall(SYS_pidfd_send_signal, pidfd, sig, nullptr, 0));
}

// The return code; empty where the child runs.
std::optional<int> take_status(int pidfd, bool& known) {
  siginfo_t info{};
  int result;
  do {
    result = waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd),
                    &info, WEXITED | WNOHANG);
  } while (result != 0 && errno == EINTR);
  known = result == 0;
  if (!known) return kUnknownReturncode;
  if (info.si_pid == 0) return std::nullopt;
  return info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
}

}  // namespace

Ref<Child> Child::start(EventLoop& loop, const SpawnRequest& request) {
  LoopAccess::check_usable(loop);
  ChildDomain& domain = ChildDomain::of(loop);
  const bool leads_group =
      request.start_new_session || request.process_group == pid_t{0};
  auto child = Ref<Child>::adopt(new Child(loop, spawn(request), leads_group));
  // From here on the domain sees to its end, also where the watch is refused.
  domain.add(*child);
  child->retain();
  try {
    loop.add_reader(child->pidfd_.get(), [child] { child->reap(); });
  } catch (...) {
    domain.remove(*child);
    child->reap_now();
    child->release();
    throw;
  }
  return child;
}

Child::Child(EventLoop& loop, SpawnedChild spawned, bool leads_group)
    : loop_(&loop),
      pid_(spawned.pid),
      pidfd_(std::move(spawned.pidfd)),
      leads_group_(leads_group) {}

void Child::check_running(int sig) const {
  if (returncode_) {
    throw_os_error(ESRCH, "signal " + std::to_string(sig) + " to process " +
                              std::to_string(pid_));
  }
}

void Child::send_signal(int sig) {
  check_running(sig);
  if (send(pidfd_.get(), sig) != 0 && errno != ESRCH) {
    throw_os_error(errno, "signal " + std::to_string(sig) + " to process " +
                              std::to_string(pid_));
  }
}

void Child::kill_tree() {
  check_running(SIGKILL);
  const ProcessTree tree(pid_, pidfd_.get());
  // It has not been reaped: its number, and with it the group's, is still its
  // own.
  if (leads_group_) kill(-pid_, SIGKILL);
  tree.send_signal(SIGKILL);
}

void Child::abandon() noexcept {
  if (!returncode_) send(pidfd_.get(), SIGKILL);
}

void Child::reap() {
  if (returncode_) return;
  bool known;
  const std::optional<int> code = take_status(pidfd_.get(), known);
  if (!code) return;
  EventLoop& loop = *loop_;
  finish(*code);
  if (!known) {
    loop.call_exception_handler(ExceptionContext(
        "child process pid " + std::to_string(pid_) +
            " exit status already read:  will report returncode 255",
        nullptr));
  }
}

void Child::finish(int returncode) {
  EventLoop& loop = *std::exchange(loop_, nullptr);
  ChildDomain::of(loop).remove(*this);
  const Ref<Child> share_of_domain = Ref<Child>::adopt(this);
  returncode_ = returncode;
  loop.remove_reader(pidfd_.get());
  pidfd_.reset();
  waiters_.wake_all();
}

// Without the loop: it is closed, or does not watch the child.
void Child::reap_now() noexcept {
  send(pidfd_.get(), SIGKILL);
  pollfd ended{pidfd_.get(), POLLIN, 0};
  while (poll(&ended, 1, kLastWaitMilliseconds) < 0 && errno == EINTR) {
  }
  bool known;
  returncode_ = take_status(pidfd_.get(), known).value_or(-SIGKILL);
  pidfd_.reset();
  loop_ = nullptr;
}

ChildDomain& ChildDomain::of(EventLoop& loop) {
  LoopAttachment* found =
      LoopAccess::attachment(loop, AttachmentSlot::kChildren);
  if (found == nullptr) {
    LoopAccess::attach(loop, AttachmentSlot::kChildren,
                       std::make_unique<ChildDomain>());
    found = LoopAccess::attachment(loop, AttachmentSlot::kChildren);
  }
  return static_cast<ChildDomain&>(*found);
}

// All are killed before the first is waited for.
void ChildDomain::loop_closed() {
  const absl::flat_hash_set<Child*> children = std::exchange(children_, {});
  for (Child* child : children) child->abandon();
  for (Child* child : children) {
    child->reap_now();
    child->release();
  }
}

const WaiterKind ExitAwaiter::kKind = WaitNode::kind_named("Process.wait");

bool ExitAwaiter::await_ready() const {
  if (child_->returncode_) return true;
  if (child_->loop_ != step_task()->loop()) {
    throw RuntimeError("process " + std::to_string(child_->pid()) +
                       " is bound to a different event loop");
  }
  return false;
}

void ExitAwaiter::suspend(PromiseBase& promise) {
  child_->waiters_.park(node_, kKind, promise);
}

int ExitAwaiter::await_resume() {
  if (node_.waits()) {
    node_.leave();
    step_task()->check_cancelled();
  }
  return *child_->returncode_;
}

}  // namespace asyncio::internal
