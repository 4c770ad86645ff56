// What a benchmark with the claim "no allocation" reports.
//
//   const Allocations counted;                 // once the pools are warm
//   for (auto _ : state) once();
//   counted.report(state, state.iterations()); // items/s, and `allocations`
//
// The counter `allocations` is the calls of operator new by item. One file of a
// program includes it, as allocations.h.
#ifndef ASYNCIO_BENCHMARKS_INTERNAL_REPORT_ALLOCATIONS_H_
#define ASYNCIO_BENCHMARKS_INTERNAL_REPORT_ALLOCATIONS_H_

#include <cstdint>

#include "benchmark/benchmark.h"

#include "asyncio/benchmarks/internal/allocations.h"

namespace asyncio::benchmarks {

class Allocations {
 public:
  void report(benchmark::State& state, int64_t items) const {
    state.SetItemsProcessed(items);
    state.counters["allocations"] =
        static_cast<double>(allocations() - before_) /
        static_cast<double>(items);
  }

 private:
  int64_t before_ = allocations();
};

}  // namespace asyncio::benchmarks

#endif  // ASYNCIO_BENCHMARKS_INTERNAL_REPORT_ALLOCATIONS_H_
