// Executor: where calls run that would block the loop, and ThreadPoolExecutor,
// which runs them on threads.
//
//   ThreadPoolExecutor pool(4);
//   std::string text = co_await run_in_executor(&pool, read_file, path);
//
// An executor of your own derives from Executor and runs each Work once, on any
// thread, or drops it: what waits for it is cancelled then.
#ifndef ASYNCIO_LOOP_EXECUTOR_H_
#define ASYNCIO_LOOP_EXECUTOR_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace asyncio {

class Executor {
 public:
  // A call on its way to a thread. Threads: all of it.
  class Work {
   public:
    virtual ~Work() = default;

    // Makes the call, unless it was cancelled; what it throws stays inside.
    void run() {
      State queued = State::kQueued;
      if (state_.compare_exchange_strong(queued, State::kStarted)) call();
    }
    // It is not called any more; what is left in a queue is an empty shell.
    // False where it was started.
    bool cancel() {
      State queued = State::kQueued;
      if (!state_.compare_exchange_strong(queued, State::kCancelled)) {
        return false;
      }
      discarded();
      return true;
    }

   private:
    enum class State : unsigned char { kQueued, kStarted, kCancelled };
    virtual void call() noexcept = 0;
    // It will never be called: gives up the callable.
    virtual void discarded() noexcept = 0;
    std::atomic<State> state_{State::kQueued};
  };

  virtual ~Executor() = default;

  // Runs `work` once, some time. RuntimeError where the executor is shut down.
  virtual void submit(std::shared_ptr<Work> work) = 0;

  // Waits until all work has ended and the threads are gone. Blocks; takes no
  // more work. Threads: any, several at once.
  virtual void join() {}
};

struct ShutdownOptions {
  bool wait = true;             // blocks until the work has ended
  bool cancel_futures = false;  // what has not started never does
};

// Threads are started as work comes, at most `max_workers`; an idle one is used
// first. Work is begun in the order in which it came.
// Threads: any, but for the destructor; one of its own cannot wait for itself.
class ThreadPoolExecutor final : public Executor {
 public:
  // ValueError("max_workers must be greater than 0").
  explicit ThreadPoolExecutor(size_t max_workers = default_workers());
  // Runs what is queued and joins.
  ~ThreadPoolExecutor() override;

  void submit(std::shared_ptr<Work> work) override;
  void join() override { shutdown(); }
  // May be called again, to wait after a call that did not.
  void shutdown(ShutdownOptions options = {});

  // Python's: the number of processors and four, at most 32.
  static size_t default_workers();

 private:
  void work();

  const size_t max_workers_;
  std::mutex mutex_;
  std::mutex joining_;  // held by whoever waits for the threads
  std::condition_variable wanted_;
  std::deque<std::shared_ptr<Work>> queue_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool shut_down_ = false;
};

}  // namespace asyncio

#endif  // ASYNCIO_LOOP_EXECUTOR_H_
