// ValueSlot: room for a value that comes later, once. Its owner knows whether it
// has come.
#ifndef ASYNCIO_BASE_INTERNAL_VALUE_SLOT_H_
#define ASYNCIO_BASE_INTERNAL_VALUE_SLOT_H_

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace asyncio::internal {

template <class T>
class ValueSlot {
 public:
  template <class... Args>
  void emplace(Args&&... args) {
    value_.emplace(std::forward<Args>(args)...);
  }
  // Requires that it has come.
  T& operator*() { return *value_; }

 private:
  std::optional<T> value_;
};

// What need not be destroyed need not be known to be there.
template <class T>
  requires std::is_trivially_destructible_v<T>
class ValueSlot<T> {
 public:
  ValueSlot() {}  // NOLINT: leaves the room as it is
  ValueSlot(const ValueSlot&) = delete;
  ValueSlot& operator=(const ValueSlot&) = delete;

  template <class... Args>
  void emplace(Args&&... args) {
    std::construct_at(std::addressof(value_), std::forward<Args>(args)...);
  }
  T& operator*() { return value_; }

 private:
  union {
    T value_;
  };
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_BASE_INTERNAL_VALUE_SLOT_H_
