// A wheel beside a std::multimap that says what it must do.
//
//   ModelledWheel wheel(source, timers);
//   while (!source.exhausted()) wheel.step();
//
// A source gives numbers: `uint64_t below(uint64_t n)`, `bool exhausted()`. It
// alone decides which operations there are, so that chance and a fuzzer drive
// the same model. A difference ends the program with a line that names it.
#ifndef ASYNCIO_TESTS_TIMERS_TIMER_WHEEL_MODEL_H_
#define ASYNCIO_TESTS_TIMERS_TIMER_WHEEL_MODEL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "asyncio/base/time.h"
#include "asyncio/timers/internal/wheel_level.h"
#include "asyncio/timers/timer_wheel.h"

namespace asyncio {

template <class Source>
class ModelledWheel {
 public:
  ModelledWheel(Source& source, size_t timers)
      : source_(source),
        reach_(10 + 5 * source.below(8)),
        now_(some_start()),
        wheel_(std::make_unique<TimerWheel>(TimePoint::from_nanoseconds(now_))),
        timers_(timers) {
    for (auto& timer : timers_) timer = std::make_unique<Timer>();
    for (auto& timer : timers_) timer->place = model_.end();
  }

  uint64_t operations() const { return operations_; }

  void step() {
    switch (source_.below(16)) {
      case 0:
      case 1:
        advance(later());
        break;
      case 2:
        advance_to_next();
        break;
      case 3:
        check_deadlines();
        break;
      case 4:
        destroy_something();
        break;
      case 5:
        if (source_.below(16) == 0) cancel_the_earliest();
        break;
      default:
        change_something();
    }
  }

 private:
  static constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  static constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

  struct Timer;
  using Model = std::multimap<int64_t, Timer*>;
  struct Timer : TimerNode {
    Model::iterator place;
  };

  static void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "timer wheel and model differ: %s\n", what);
    std::abort();
  }

  int64_t some_start() {
    switch (source_.below(4)) {
      case 0:
        return kMin;
      case 1:
        return -static_cast<int64_t>(source_.below(uint64_t{1} << 40));
      case 2:
        return kMax - 1 -
               static_cast<int64_t>(source_.below(uint64_t{1} << 50));
      default:
        return 0;
    }
  }

  // Of any order of magnitude up to 2^bits, each as likely.
  int64_t span(uint64_t bits) {
    return static_cast<int64_t>(
        source_.below(uint64_t{1} << source_.below(bits + 1)));
  }

  int64_t some_deadline() {
    switch (source_.below(16)) {
      case 0:  // past, if there is any
        return -internal::saturated_add(-(now_ + 1), span(40));
      case 1:  // beside another
        if (!model_.empty()) {
          return internal::saturated_add(
              some_timer().deadline().nanoseconds(),
              static_cast<int64_t>(source_.below(3)) - 1);
        }
        return now_;
      case 2:
        return now_;
      case 3:
        return source_.below(64) == 0 ? kMax - span(20)
                                      : internal::saturated_add(now_, span(62));
      case 4:  // at the edge of a slot
        return internal::saturated_add(
            internal::saturated_add(now_, span(45)) &
                -(int64_t{1} << (internal::kTickBits +
                                 internal::kDigitBits * source_.below(7))),
            static_cast<int64_t>(source_.below(3)) - 1);
      case 5:
      case 6:
        return internal::saturated_add(now_, span(reach_));
      default:
        return internal::saturated_add(
            now_, static_cast<int64_t>(source_.below(uint64_t{1} << reach_)));
    }
  }

  int64_t later() {
    switch (source_.below(64)) {
      case 0:
        return internal::saturated_add(now_, span(62));
      case 1:
        return internal::saturated_add(now_, -span(40));
      case 2:
      case 3:
        return internal::saturated_add(now_, span(reach_));
      default:
        return internal::saturated_add(now_, span(reach_ - 6));
    }
  }

  Timer& some_timer() { return *timers_[source_.below(timers_.size())]; }

  void change_something() {
    Timer& timer = some_timer();
    if (source_.below(4) == 0) {
      cancel(timer);
    } else if (source_.below(8) == 0 && !model_.empty()) {
      cancel(*model_.begin()->second);  // the earliest
    } else {
      schedule(timer, some_deadline());
    }
  }

  void schedule(Timer& timer, int64_t deadline) {
    ++operations_;
    if (timer.place != model_.end()) {
      auto node = model_.extract(timer.place);
      node.key() = deadline;
      timer.place = model_.insert(std::move(node));
    } else {
      timer.place = model_.emplace(deadline, &timer);
    }
    wheel_->schedule(timer, TimePoint::from_nanoseconds(deadline));
    require(timer.armed(), "armed after schedule");
    require(timer.deadline().nanoseconds() == deadline, "deadline");
    check_bound();
  }

  void cancel(Timer& timer) {
    ++operations_;
    const bool armed = timer.place != model_.end();
    if (armed) model_.erase(timer.place);
    timer.place = model_.end();
    require(wheel_->cancel(timer) == armed, "what cancel says");
    require(!timer.armed(), "unarmed after cancel");
    check_bound();
  }

  void destroy_something() {
    ++operations_;
    if (source_.below(1024) == 0) {
      wheel_ = std::make_unique<TimerWheel>(TimePoint::from_nanoseconds(now_));
      model_.clear();
      for (auto& timer : timers_) {
        require(!timer->armed(), "unarmed after the wheel");
        timer->place = model_.end();
      }
      return;
    }
    auto& timer = timers_[source_.below(timers_.size())];
    if (timer->place != model_.end()) model_.erase(timer->place);
    timer = std::make_unique<Timer>();
    timer->place = model_.end();
    check_bound();
  }

  // As a queue of events would: each time the earliest goes, one comes.
  void cancel_the_earliest() {
    for (uint64_t i = source_.below(64); i > 0 && !model_.empty(); --i) {
      Timer& timer = *model_.begin()->second;
      cancel(timer);
      if (source_.below(2) == 0) schedule(timer, some_deadline());
      check_deadlines();
    }
  }

  void advance_to_next() {
    // The bound is safe to sleep for: it comes to an end.
    for (int i = 0; i < 3 && !wheel_->empty(); ++i) {
      advance(wheel_->next_wakeup().nanoseconds());
    }
  }

  void advance(int64_t to) {
    ++operations_;
    now_ = std::max(now_, std::min(to, kMax - 1));
    // A callback sets at most so many more, or it might go on for ever.
    int changes = 64;
    const size_t fired =
        wheel_->advance(TimePoint::from_nanoseconds(to), [&](TimerNode& node) {
          auto& timer = static_cast<Timer&>(node);
          ++operations_;
          require(!model_.empty(), "fired with none armed");
          const auto first = model_.begin();
          require(first->first <= now_, "fired early");
          require(first->second == &timer, "which timer fires");
          require(!timer.armed(), "unarmed when it fires");
          model_.erase(first);
          timer.place = model_.end();
          while (changes > 0 && source_.below(3) == 0) {
            --changes;
            if (source_.below(4) == 0) schedule(timer, some_deadline());
            change_something();
          }
        });
    (void)fired;
    require(wheel_->now().nanoseconds() == now_, "now");
    require(model_.empty() || model_.begin()->first > now_, "left out one due");
    check_bound();
    require(wheel_->empty() || wheel_->next_wakeup().nanoseconds() > now_ ||
                now_ == kMax - 1,
            "the bound makes progress");
  }

  void check_bound() {
    require(wheel_->empty() == model_.empty(), "empty");
    if (model_.empty()) {
      require(wheel_->next_wakeup() == TimePoint::infinite_future(),
              "bound of an empty wheel");
    } else {
      require(wheel_->next_wakeup().nanoseconds() <= model_.begin()->first,
              "bound");
    }
  }

  void check_deadlines() {
    ++operations_;
    const std::optional<TimePoint> next = wheel_->next_deadline();
    require(next.has_value() == !model_.empty(), "whether there is a next");
    if (next.has_value()) {
      require(next->nanoseconds() == model_.begin()->first, "next deadline");
      require(wheel_->next_wakeup() == *next, "bound after next deadline");
    }
    const int64_t after = internal::saturated_add(now_, span(20));
    const int64_t until = internal::saturated_add(after, span(20));
    if (wheel_->is_due_between(TimePoint::from_nanoseconds(after),
                               TimePoint::from_nanoseconds(until))) {
      const auto due = model_.upper_bound(after);
      require(due != model_.end() && due->first <= until, "due between");
    }
    if (source_.below(64) == 0) {
      require(wheel_->size() == model_.size(), "size");
    }
  }

  Source& source_;
  // Most deadlines are within 2^reach_ ns, from all in one tick to hours.
  const uint64_t reach_;
  int64_t now_;
  std::unique_ptr<TimerWheel> wheel_;
  Model model_;
  std::vector<std::unique_ptr<Timer>> timers_;
  uint64_t operations_ = 0;
};

}  // namespace asyncio

#endif  // ASYNCIO_TESTS_TIMERS_TIMER_WHEEL_MODEL_H_
