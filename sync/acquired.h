// Acquired: what `co_await lock.scoped_acquire()` gives. It releases the lock,
// semaphore or condition when it is destroyed, or earlier.
//
//   {
//     auto held = co_await lock.scoped_acquire();
//     ...
//   }                     // released, on every way out
//
// Lifetime: where what was acquired is destroyed first, it releases nothing. A
// destructor cannot throw: nor does it where somebody else released in its
// place.
#ifndef ASYNCIO_SYNC_ACQUIRED_H_
#define ASYNCIO_SYNC_ACQUIRED_H_

#include <exception>

#include "asyncio/sync/internal/tether.h"

namespace asyncio {

template <class M>
class [[nodiscard]] Acquired {
 public:
  Acquired() = default;
  // Takes over what the caller has acquired.
  explicit Acquired(M& held) : held_(&held), tether_(held.anchor_) {}
  Acquired(Acquired&& other) noexcept = default;
  Acquired& operator=(Acquired&& other) noexcept {
    if (this != &other) {
      release_quietly();
      if (other) {
        held_ = other.held_;
        tether_.tie(held_->anchor_);
        other.tether_.untie();
      }
    }
    return *this;
  }
  ~Acquired() { release_quietly(); }

  // Releases now; nothing where it holds nothing any more. Throws what the
  // primitive's release() throws.
  void release() {
    if (!tether_.holds()) return;
    tether_.untie();
    held_->release();
  }
  explicit operator bool() const { return tether_.holds(); }

 private:
  void release_quietly() noexcept {
    try {
      release();
    } catch (const std::exception&) {
    }
  }

  M* held_ = nullptr;
  internal::Tether tether_;
};

}  // namespace asyncio

#endif  // ASYNCIO_SYNC_ACQUIRED_H_
