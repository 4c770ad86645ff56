// Success: whether a scope is being left without an exception. For destructors
// of locals, which run when the result of a `return` is in its place already.
#ifndef ASYNCIO_SYNC_INTERNAL_SUCCESS_H_
#define ASYNCIO_SYNC_INTERNAL_SUCCESS_H_

#include <exception>

namespace asyncio::internal {

template <bool kNeverThrows>
class Success {
 public:
  explicit operator bool() const {
    return std::uncaught_exceptions() == exceptions_;
  }

 private:
  const int exceptions_ = std::uncaught_exceptions();
};

template <>
class Success<true> {
 public:
  explicit operator bool() const { return true; }
};

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_SUCCESS_H_
