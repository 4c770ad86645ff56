#include "asyncio/base/context.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/internal/ref.h"
#include "asyncio/base/internal/repr.h"

namespace asyncio {
namespace internal {

std::shared_ptr<const void> ContextState::find(uint64_t id) const {
  if (table_ != nullptr) {
    for (const Entry& entry : *table_) {
      if (entry.id == id) return entry.value;
    }
  }
  return nullptr;
}

void ContextState::assign(uint64_t id, std::shared_ptr<const void> value) {
  auto table = table_ ? std::make_shared<Table>(*table_)
                      : std::make_shared<Table>();
  auto entry = std::find_if(table->begin(), table->end(),
                            [id](const Entry& e) { return e.id == id; });
  if (value == nullptr) {
    if (entry != table->end()) table->erase(entry);
  } else if (entry != table->end()) {
    entry->value = std::move(value);
  } else {
    table->push_back({id, std::move(value)});
  }
  table_ = std::move(table);
}

ContextState* ContextSlot::copy_of(const ContextState& state) {
  return Ref<ContextState>(new ContextState(state.table())).leak();
}

ContextSlot& ContextSlot::make_thread_slot() {
  static thread_local ContextSlot slot;
  thread_slot_ = &slot;
  return slot;
}

ContextRun::ContextRun(const Ref<ContextState>& state)
    : hidden_(ContextSlot::current().materialize()),
      slot_(state),
      scope_(slot_) {
  if (state->entered || hidden_ == state) {
    throw RuntimeError("cannot enter context: the context is already entered");
  }
  state->entered = true;
  hidden_was_entered_ = std::exchange(hidden_->entered, true);
}

ContextRun::~ContextRun() {
  slot_.state_->entered = false;
  hidden_->entered = hidden_was_entered_;
}

std::shared_ptr<const ContextVarInfo> make_context_var(std::string_view name) {
  static std::atomic<uint64_t> next{1};
  return std::make_shared<const ContextVarInfo>(ContextVarInfo{
      next.fetch_add(1, std::memory_order_relaxed), std::string(name)});
}

void throw_unset(const ContextVarInfo& var) {
  throw LookupError("<ContextVar name=" + repr(var.name) + ">");
}

}  // namespace internal

void Token::reset(const internal::ContextVarInfo& var) {
  const std::string name =
      "var=<ContextVar name=" + internal::repr(var.name) + ">>";
  if (used_) {
    throw RuntimeError("<Token used " + name + " has already been used once");
  }
  const std::string text = "<Token " + name;
  if (id_ != var.id) {
    throw ValueError(text + " was created by a different ContextVar");
  }
  if (internal::ContextSlot::current().peek() != context_.get()) {
    throw ValueError(text + " was created in a different Context");
  }
  used_ = true;
  context_->assign(id_, std::move(old_value_));
}

Context copy_context() {
  internal::ContextSlot slot = internal::ContextSlot::copy_current();
  return Context(slot.materialize());
}

}  // namespace asyncio
