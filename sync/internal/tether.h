// Anchor and Tether: how whoever works on an object learns that it was
// destroyed meanwhile: a coroutine that was suspended, a guard.
#ifndef ASYNCIO_SYNC_INTERNAL_TETHER_H_
#define ASYNCIO_SYNC_INTERNAL_TETHER_H_

namespace asyncio::internal {

class Tether;

// A member of the object.
class Anchor {
 public:
  Anchor() = default;
  Anchor(const Anchor&) = delete;
  Anchor& operator=(const Anchor&) = delete;
  inline ~Anchor();

 private:
  friend class Tether;
  Tether* first_ = nullptr;
};

// A local of whoever works on it; default-constructed, it holds nothing.
class Tether {
 public:
  Tether() = default;
  explicit Tether(Anchor& anchor) { tie(anchor); }
  Tether(Tether&& other) noexcept {
    if (Anchor* anchor = other.anchor_) {
      other.untie();
      tie(*anchor);
    }
  }
  Tether& operator=(const Tether&) = delete;
  ~Tether() { untie(); }

  void tie(Anchor& anchor) {
    anchor_ = &anchor;
    prev_ = nullptr;
    next_ = anchor.first_;
    if (next_ != nullptr) next_->prev_ = this;
    anchor.first_ = this;
  }
  void untie() {
    if (anchor_ == nullptr) return;
    (prev_ == nullptr ? anchor_->first_ : prev_->next_) = next_;
    if (next_ != nullptr) next_->prev_ = prev_;
    anchor_ = nullptr;
  }

  // Whether the object is still there.
  bool holds() const { return anchor_ != nullptr; }

 private:
  friend class Anchor;
  Anchor* anchor_ = nullptr;
  Tether* prev_;
  Tether* next_;
};

inline Anchor::~Anchor() {
  for (Tether* tether = first_; tether != nullptr; tether = tether->next_) {
    tether->anchor_ = nullptr;
  }
}

}  // namespace asyncio::internal

#endif  // ASYNCIO_SYNC_INTERNAL_TETHER_H_
