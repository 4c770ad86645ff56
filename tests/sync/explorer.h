// explore(): plays a scene in every order that a bound allows.
//
// A scene is one primitive and up to four tasks that use it. A play is a word of
// moves: a turn of the loop; the start of the next task; the cancellation of one;
// whatever else the scene can do from outside, such as a release. Every word of a
// given length is played, but for those with a move that is not possible when it
// comes, each with a scene of its own. Moves between two turns happen before
// anybody they wake has run: that is where wake-ups are lost.
//
// After the word the loop turns until nothing is ready; then the scene frees what
// the tasks wait for, until all are done.
#ifndef ASYNCIO_TESTS_SYNC_EXPLORER_H_
#define ASYNCIO_TESTS_SYNC_EXPLORER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "asyncio/task/coroutine.h"
#include "asyncio/task/task.h"

namespace asyncio {

class Scene {
 public:
  // `started`: how many of the tasks are there before the first move.
  explicit Scene(size_t tasks = 4, size_t started = 2)
      : count_(tasks), started_first_(started) {}
  virtual ~Scene() = default;

  // The moves of the scene's own: how many, and one of them; false where it is
  // not possible now.
  virtual size_t moves() const = 0;
  virtual bool move(size_t n) = 0;
  // What task `id` does. It begins inside the move that starts it.
  virtual Coroutine<> script(size_t id) = 0;
  // Lets somebody who waits go on; false where that is impossible.
  virtual bool free() = 0;

  // What holds after every turn; where nothing is ready; when all are done.
  virtual void check() {}
  virtual void check_quiet() = 0;
  virtual void check_end() {}

 protected:
  // Whether the task was started, is not done and was not cancelled.
  bool waits(size_t id) const;
  size_t waiting() const;
  size_t count() const { return count_; }
  // A task beside the four, which is not cancelled.
  void start_helper(Coroutine<> coroutine);
  // Says that `id` has what it asked for; they go in the order of their start.
  void goes_in_line(size_t id);

 private:
  friend class Play;
  const size_t count_;
  const size_t started_first_;
  std::vector<Task<>> tasks_;
  std::vector<bool> cancelled_ = std::vector<bool>(count_);
  std::vector<Task<>> helpers_;
  size_t next_in_line_ = 0;
};

// Plays all words of `length` moves; gives how many those were. The first
// failure ends it.
Coroutine<size_t> explore(size_t length,
                          std::function<std::unique_ptr<Scene>()> make_scene);

}  // namespace asyncio

#endif  // ASYNCIO_TESTS_SYNC_EXPLORER_H_
