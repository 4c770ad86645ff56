#include "asyncio/loop/executor.h"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "asyncio/base/exceptions.h"

namespace asyncio {

ThreadPoolExecutor::ThreadPoolExecutor(size_t max_workers)
    : max_workers_(max_workers) {
  if (max_workers == 0) throw ValueError("max_workers must be greater than 0");
}

ThreadPoolExecutor::~ThreadPoolExecutor() { shutdown(); }

size_t ThreadPoolExecutor::default_workers() {
  const size_t processors = std::max(1u, std::thread::hardware_concurrency());
  return std::min<size_t>(32, processors + 4);
}

void ThreadPoolExecutor::submit(std::shared_ptr<Work> work) {
  std::lock_guard lock(mutex_);
  if (shut_down_) {
    throw RuntimeError("cannot schedule new futures after shutdown");
  }
  queue_.push_back(std::move(work));
  if (idle_ >= queue_.size()) {
    wanted_.notify_one();
  } else if (threads_.size() < max_workers_) {
    try {
      threads_.emplace_back([this] { this->work(); });
    } catch (...) {
      // Another thread will come to it, where there is one.
      if (!threads_.empty()) return;
      queue_.pop_back();
      throw;
    }
  }
}

void ThreadPoolExecutor::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (!queue_.empty()) {
      std::shared_ptr<Work> next = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      next->run();
      next = nullptr;
      lock.lock();
    } else if (shut_down_) {
      return;
    } else {
      ++idle_;
      wanted_.wait(lock);
      --idle_;
    }
  }
}

void ThreadPoolExecutor::shutdown(ShutdownOptions options) {
  std::deque<std::shared_ptr<Work>> cancelled;
  {
    std::lock_guard lock(mutex_);
    shut_down_ = true;
    if (options.cancel_futures) cancelled.swap(queue_);
    wanted_.notify_all();
  }
  for (const std::shared_ptr<Work>& work : cancelled) work->cancel();
  cancelled.clear();
  if (!options.wait) return;
  std::lock_guard joining(joining_);
  std::vector<std::thread> threads;
  {
    std::lock_guard lock(mutex_);
    threads.swap(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace asyncio
