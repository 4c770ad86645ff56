#include "asyncio/tests/sync/explorer.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/sleep.h"
#include "asyncio/task/task.h"

namespace asyncio {

bool Scene::waits(size_t id) const {
  return id < tasks_.size() && !cancelled_[id] && !tasks_[id].done();
}

size_t Scene::waiting() const {
  size_t n = 0;
  for (size_t id = 0; id < tasks_.size(); ++id) n += waits(id);
  return n;
}

void Scene::start_helper(Coroutine<> coroutine) {
  helpers_.push_back(create_task(std::move(coroutine), {.eager_start = true}));
}

void Scene::goes_in_line(size_t id) {
  EXPECT_GE(id, next_in_line_) << "it was overtaken";
  next_in_line_ = id + 1;
}

// One word, played in the running task.
class Play {
 public:
  // Turn, start, cancel each, and the scene's own.
  static size_t moves(const Scene& scene) {
    return 2 + scene.count_ + scene.moves();
  }

  explicit Play(Scene& scene) : scene_(scene) {
    while (scene_.tasks_.size() < scene_.started_first_) start();
  }

  // How many of the moves were possible, until one was not.
  Coroutine<size_t> play(const std::vector<size_t>& word) {
    size_t played = 0;
    for (const size_t move : word) {
      if (move == 0) {
        if (!any_ready()) co_return played;
        co_await sleep(Duration::zero());
        scene_.check();
      } else if (!act(move)) {
        co_return played;
      }
      ++played;
    }
    co_return played;
  }

  // To the end that every play has.
  Coroutine<> finish() {
    co_await settle();
    scene_.check_quiet();
    for (int i = 0; i < kMany && !all_done() && scene_.free(); ++i) {
      co_await settle();
      scene_.check_quiet();
    }
    EXPECT_TRUE(all_done()) << "somebody waits for ever";
    if (all_done()) scene_.check_end();
  }

  // Ends a play that stopped on its way.
  Coroutine<> stop() {
    for (int i = 0; i < kMany && !all_done(); ++i) {
      for (const Task<>& task : scene_.tasks_) task.cancel();
      for (const Task<>& task : scene_.helpers_) task.cancel();
      co_await settle();
    }
    EXPECT_TRUE(all_done()) << "a task that cannot be cancelled";
  }

 private:
  static constexpr int kMany = 50;

  static bool any_ready() {
    return internal::LoopAccess::has_ready(get_running_loop());
  }

  Coroutine<> settle() {
    int turns = 0;
    for (; turns < kMany && any_ready(); ++turns) {
      co_await sleep(Duration::zero());
      scene_.check();
    }
    EXPECT_LT(turns, kMany) << "it never becomes quiet";
  }

  void start() {
    const size_t id = scene_.tasks_.size();
    scene_.tasks_.push_back(
        create_task(scene_.script(id), {.eager_start = true}));
  }

  bool act(size_t move) {
    if (move == 1) {
      if (scene_.tasks_.size() == scene_.count_) return false;
      start();
      return true;
    }
    const size_t id = move - 2;
    if (id >= scene_.count_) return scene_.move(id - scene_.count_);
    if (!scene_.waits(id)) return false;
    scene_.cancelled_[id] = true;
    scene_.tasks_[id].cancel();
    return true;
  }

  bool all_done() const {
    auto done = [](const Task<>& task) { return task.done(); };
    return std::ranges::all_of(scene_.tasks_, done) &&
           std::ranges::all_of(scene_.helpers_, done);
  }

  Scene& scene_;
};

namespace {

// Of the test so far.
int failures() {
  return testing::UnitTest::GetInstance()
      ->current_test_info()
      ->result()
      ->total_part_count();
}

}  // namespace

Coroutine<size_t> explore(size_t length,
                          std::function<std::unique_ptr<Scene>()> make_scene) {
  const int failures_before = failures();
  const size_t moves = Play::moves(*make_scene());
  std::vector<size_t> word(length);
  size_t words = 0;
  for (;;) {
    const std::unique_ptr<Scene> scene = make_scene();
    Play play(*scene);
    const size_t played = co_await play.play(word);
    if (played == length) {
      co_await play.finish();
      ++words;
    }
    co_await play.stop();
    if (failures() != failures_before) {
      std::string text;
      for (const size_t move : word) text += " " + std::to_string(move);
      ADD_FAILURE() << "in the word" << text;
      co_return words;
    }
    // The next that differs where this one could not go on.
    size_t at = std::min(played, length - 1);
    std::fill(word.begin() + at + 1, word.end(), 0);
    while (++word[at] == moves) {
      word[at] = 0;
      if (at == 0) co_return words;
      --at;
    }
  }
}

}  // namespace asyncio
