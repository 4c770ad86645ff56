// What the tests of the primitives share.
#ifndef ASYNCIO_TESTS_SYNC_SYNC_TEST_UTIL_H_
#define ASYNCIO_TESTS_SYNC_SYNC_TEST_UTIL_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "asyncio/base/exceptions.h"
#include "asyncio/base/time.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"

namespace asyncio {

// Lets every ready task run `n` times.
inline Coroutine<> turns(int n = 1) {
  for (int i = 0; i < n; ++i) co_await sleep(Duration::zero());
}

// How awaiting it ends: "" where it gives a value, else the exception's name.
template <class A>
Coroutine<std::string> ending(A awaitable) {
  auto result = co_await as_result(std::move(awaitable));
  std::string name;
  if (!result) name = exception_name(result.exception());
  co_return name;
}

// The same numbers in every run.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  size_t below(size_t n) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<size_t>(state_ % n);
  }

 private:
  uint64_t state_;
};

}  // namespace asyncio

#endif  // ASYNCIO_TESTS_SYNC_SYNC_TEST_UTIL_H_
