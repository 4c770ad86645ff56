// Runs the fuzzer's entry on inputs from chance, with any compiler.

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

TEST(TimerWheelFuzzerTest, RandomBytesAgreeWithTheModel) {
  std::mt19937 random(1);
  for (int run = 0; run < 500; ++run) {
    std::vector<uint8_t> bytes(random() % 4096);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    EXPECT_EQ(LLVMFuzzerTestOneInput(bytes.data(), bytes.size()), 0);
  }
}
