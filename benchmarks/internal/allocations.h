// Counts the calls of operator new, for benchmarks and tests whose claim is
// "none".
//
//   const int64_t before = allocations();
//   work();
//   state.counters["allocations"] = allocations() - before;
//
// It replaces operator new and operator delete: one file of a program includes
// it. What the library's own pool hands out again is not counted; what the pool
// fetches for itself is.
#ifndef ASYNCIO_BENCHMARKS_INTERNAL_ALLOCATIONS_H_
#define ASYNCIO_BENCHMARKS_INTERNAL_ALLOCATIONS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace asyncio::benchmarks {

inline constinit std::atomic<int64_t> allocation_count{0};

// Those of all threads since the program began.
inline int64_t allocations() {
  return allocation_count.load(std::memory_order_relaxed);
}

// Null where there is no memory.
inline void* counted_allocate(size_t size, size_t alignment) noexcept {
  allocation_count.fetch_add(1, std::memory_order_relaxed);
  if (alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__) {
    return std::malloc(size != 0 ? size : 1);
  }
  return std::aligned_alloc(alignment,
                            (size + alignment - 1) / alignment * alignment);
}

inline void* counted_allocate_or_throw(size_t size, size_t alignment) {
  if (void* p = counted_allocate(size, alignment)) return p;
  throw std::bad_alloc();
}

}  // namespace asyncio::benchmarks

void* operator new(size_t size) {
  return asyncio::benchmarks::counted_allocate_or_throw(size, 1);
}
void* operator new[](size_t size) {
  return asyncio::benchmarks::counted_allocate_or_throw(size, 1);
}
void* operator new(size_t size, std::align_val_t alignment) {
  return asyncio::benchmarks::counted_allocate_or_throw(
      size, static_cast<size_t>(alignment));
}
void* operator new[](size_t size, std::align_val_t alignment) {
  return asyncio::benchmarks::counted_allocate_or_throw(
      size, static_cast<size_t>(alignment));
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  return asyncio::benchmarks::counted_allocate(size, 1);
}
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return asyncio::benchmarks::counted_allocate(size, 1);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }
void operator delete[](void* p, size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete[](void* p, size_t, std::align_val_t) noexcept {
  std::free(p);
}
void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept {
  std::free(p);
}

#endif  // ASYNCIO_BENCHMARKS_INTERNAL_ALLOCATIONS_H_
