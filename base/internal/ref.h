// Ref<T>: a counted pointer to an object that carries its own count, which
// retain() and release() of T change. The size of a pointer.
#ifndef ASYNCIO_BASE_INTERNAL_REF_H_
#define ASYNCIO_BASE_INTERNAL_REF_H_

#include <cstddef>
#include <utility>

namespace asyncio::internal {

template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}  // NOLINT: implicit
  // Shares `object`.
  explicit Ref(T* object) : object_(object) {
    if (object_ != nullptr) object_->retain();
  }
  // Takes over a count that the caller holds already.
  static Ref adopt(T* object) {
    Ref ref;
    ref.object_ = object;
    return ref;
  }

  Ref(const Ref& other) : Ref(other.object_) {}
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Ref() {
    if (object_ != nullptr) object_->release();
  }

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }
  // Gives the count to the caller.
  T* leak() { return std::exchange(object_, nullptr); }

  friend bool operator==(const Ref& a, const Ref& b) = default;

 private:
  T* object_ = nullptr;
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_BASE_INTERNAL_REF_H_
