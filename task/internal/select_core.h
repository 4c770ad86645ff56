// SelectCore: the wait for the first of several futures, and for the end of the
// others.
#ifndef ASYNCIO_TASK_INTERNAL_SELECT_CORE_H_
#define ASYNCIO_TASK_INTERNAL_SELECT_CORE_H_

#include <coroutine>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "asyncio/base/internal/ref.h"
#include "asyncio/task/internal/future_core.h"
#include "asyncio/task/internal/promise.h"
#include "asyncio/task/internal/waiter.h"

namespace asyncio::internal {

class SelectCore;

class SelectLink final : public DoneLink {
 public:
  SelectLink() = default;
  ~SelectLink() {
    if (linked()) future->remove_link(*this);
  }
  void on_done(FutureCore& done) noexcept override;

  SelectCore* core = nullptr;
  Ref<FutureCore> future;
};

// The first that ends cancels the others in that moment, inside its own last
// step: so none of them can end well after it, unless it ignores that.
class SelectCore final : public Waiter {
 public:
  explicit SelectCore(size_t size)
      : Waiter(kKind), links_(std::make_unique<SelectLink[]>(size)) {}

  // Not more than `size`.
  void add(Ref<FutureCore> future);
  // Not all could be added.
  void give_up() { cancel_others(""); }

  FutureCore& future(size_t i) const { return *links_[i].future; }
  size_t winner() const { return winner_; }

  void suspend(PromiseBase& caller);
  // In the resumed task. Throws where there is no winner, or it has failed.
  void finish();

 private:
  friend class SelectLink;
  static constexpr size_t kNone = static_cast<size_t>(-1);

  static bool cancel(Waiter& waiter, std::string_view message);
  void ended(SelectLink& link) noexcept;
  void cancel_others(std::string_view message);

  static const WaiterKind kKind;
  std::unique_ptr<SelectLink[]> links_;
  size_t size_ = 0;
  size_t left_ = 0;
  size_t winner_ = kNone;
  bool cancel_requested_ = false;
  std::string message_;
};

class SelectAwaiter final : public LibraryAwaiter {
 public:
  explicit SelectAwaiter(SelectCore& core) : core_(core) {}
  bool await_ready() const { return false; }
  template <class P>
  void await_suspend(std::coroutine_handle<P> caller) {
    core_.suspend(caller.promise());
  }
  void await_resume() const { core_.finish(); }

 private:
  SelectCore& core_;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_TASK_INTERNAL_SELECT_CORE_H_
