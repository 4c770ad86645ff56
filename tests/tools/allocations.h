// Counts the calls of operator new, for tests whose claim is "none".
//
//   warm_up();                              // fills the pool, grows the blocks
//   const int64_t before = allocations_beside_pool();
//   work();
//   EXPECT_EQ(allocations_beside_pool() - before, 0);
//
// Every form of operator new counts, in all threads, the pool's own fetching
// included; not counted are a block that the pool hands out again, and
// malloc(), by which the C++ runtime makes the exception of a cancellation.
// Under AddressSanitizer there is no pool: there it counts nothing, and what it
// guards is run all the same. What needs no pool counts by
// benchmarks::allocations().
//
// It replaces operator new: one file of a test includes it.
#ifndef ASYNCIO_TESTS_TOOLS_ALLOCATIONS_H_
#define ASYNCIO_TESTS_TOOLS_ALLOCATIONS_H_

#include <cstdint>

#include "asyncio/base/internal/frame_pool.h"
#include "asyncio/benchmarks/internal/allocations.h"

namespace asyncio {

inline int64_t allocations_beside_pool() {
  return ASYNCIO_INTERNAL_POOL ? benchmarks::allocations() : 0;
}

}  // namespace asyncio

#endif  // ASYNCIO_TESTS_TOOLS_ALLOCATIONS_H_
