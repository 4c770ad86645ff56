// A fuzzer for the wheel: the input chooses the operations, the model judges.
// In a directory where `asyncio` is a link to the repository:
//
//   clang++-19 -std=c++20 -g -O1 -I . -fsanitize=fuzzer,address,undefined
//       asyncio/tests/timers/timer_wheel_fuzzer.cc
//       asyncio/timers/timer_wheel.cc asyncio/timers/internal/timer_slot.cc
//       -o timer_wheel_fuzzer
//   ./timer_wheel_fuzzer -max_total_time=60 -max_len=4096
//
// (the first is one line).

#include <cstddef>
#include <cstdint>

#include "asyncio/tests/timers/timer_wheel_model.h"

namespace asyncio {
namespace {

// The input as numbers, then zeros.
class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), end_(data + size) {}

  bool exhausted() const { return data_ == end_; }
  uint64_t below(uint64_t n) {
    uint64_t value = 0;
    for (uint64_t top = n - 1; top != 0 && data_ != end_; top >>= 8) {
      value = value << 8 | *data_++;
    }
    return value % n;
  }

 private:
  const uint8_t* data_;
  const uint8_t* end_;
};

}  // namespace
}  // namespace asyncio

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  asyncio::Bytes bytes(data, size);
  const size_t timers = 1 + bytes.below(256);
  asyncio::ModelledWheel<asyncio::Bytes> wheel(bytes, timers);
  while (!bytes.exhausted()) wheel.step();
  return 0;
}
