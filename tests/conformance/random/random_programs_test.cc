// Random programs of tasks do what they do under CPython: each line of
// programs.txt leaves the trace that traces.txt has. random_programs.py, beside
// it, made both; what a statement means is told there, and the two interpreters
// are read side by side.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <exception>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/asyncio.h"
#include "asyncio/testing/virtual_clock.h"

using namespace std::chrono_literals;

namespace asyncio {
namespace {

constexpr size_t kTasks = 7;
constexpr size_t kFutures = 3;
constexpr size_t kGenerators = 2;
constexpr int kNone = -1;  // Python's None, as a value

// --- The language.

struct Statement;
using Block = std::vector<Statement>;
struct Statement {
  std::string word;
  std::vector<std::string> args;
  std::vector<Block> blocks;

  size_t slot(size_t i = 0) const { return std::stoul(args[i]); }
};

struct Shape {
  const char* word;
  size_t args;
  size_t blocks;
  bool list = false;
};
constexpr Shape kShapes[] = {
    {"spawn", 2, 1},
    {"child", 1, 1},
    {"timeout", 1, 1},
    {"waitforb", 1, 1},
    {"group", 0, 1},
    {"try", 1, 2},
    {"finally", 0, 2},
    {"lock", 0, 1},
    {"sem", 0, 1},
    {"sleep", 1, 0},
    {"cancel", 1, 0},
    {"await", 1, 0},
    {"gather", 1, 0, true},
    {"gwaitfor", 1, 0, true},
    {"wait", 2, 0, true},
    {"waitfor", 2, 0},
    {"shield", 1, 0},
    {"completed", 1, 0, true},
    {"fawait", 1, 0},
    {"fresult", 1, 0},
    {"ferror", 1, 0},
    {"fcancel", 1, 0},
    {"fnew", 1, 0},
    {"fcall", 1, 0},
    {"tcall", 1, 0},
    {"put", 0, 0},
    {"putnow", 0, 0},
    {"get", 0, 0},
    {"getnow", 0, 0},
    {"evwait", 0, 0},
    {"evset", 0, 0},
    {"evclear", 0, 0},
    {"raise", 0, 0},
    {"raisecancel", 0, 0},
    {"selfcancel", 0, 0},
    {"uncancel", 0, 0},
    {"cancelling", 0, 0},
    {"return", 1, 0},
    {"look", 1, 0},
    {"soon", 0, 0},
    {"later", 1, 0},
    {"gnew", 1, 2},
    {"yield", 0, 0},
    {"gnext", 1, 0},
    {"gclose", 1, 0},
    {"cwait", 0, 0},
    {"cnotify", 0, 0},
    {"cnotifyall", 0, 0},
    {"bwait", 0, 0},
    {"breset", 0, 0},
    {"babort", 0, 0},
    {"qdone", 0, 0},
    {"qjoin", 0, 0},
    {"gatherf", 1, 0},
    {"fshield", 1, 0},
    {"fwaitfor", 2, 0},
    {"first", 1, 0, true},
    {"vset", 0, 0},
    {"vget", 0, 0},
};

// One block, after its "{".
Block parse(std::istream& in) {
  Block block;
  std::string word;
  while (in >> word && word != "}") {
    const auto* shape = std::ranges::find_if(
        kShapes, [&](const Shape& s) { return s.word == word; });
    if (shape == std::end(kShapes)) throw ValueError("no statement: " + word);
    Statement statement{word, {}, {}};
    std::string token;
    for (size_t i = 0; i < shape->args && in >> token; ++i) {
      statement.args.push_back(token);
    }
    while (shape->list && in >> token && token != ";") {
      statement.args.push_back(token);
    }
    for (size_t i = 0; i < shape->blocks && in >> token; ++i) {
      statement.blocks.push_back(parse(in));
    }
    block.push_back(std::move(statement));
  }
  return block;
}

// --- What is printed.

std::string text(int value) {
  return value == kNone ? "None" : std::to_string(value);
}
std::string text(bool value) { return value ? "True" : "False"; }
std::string text(size_t value) { return std::to_string(value); }
std::string text(std::string value) { return value; }
std::string text(const char* value) { return value; }
std::string text(const std::exception_ptr& error) {
  const std::string name = exception_name(error);
  if (const auto* group = exception_cast<BaseExceptionGroup>(error)) {
    std::string inner;
    for (const std::exception_ptr& e : group->exceptions()) {
      inner += (inner.empty() ? "" : " ") + text(e);
    }
    return name + "[" + inner + "]";
  }
  if (exception_cast<ValueError>(error) != nullptr) {
    return name + "(" + exception_message(error) + ")";
  }
  return name;
}

std::string outcome(const Future<int>& f) {
  if (!f.done()) return "pending";
  if (f.cancelled()) return "cancelled";
  if (std::exception_ptr error = f.exception()) return text(error);
  return text(f.result());
}

std::optional<Duration> limit(const std::string& word) {
  if (word == "-1") return std::nullopt;
  return std::stoi(word) * 1s;
}

const ContextVar<int> variable("variable", 0);

class Interpreter {
 public:
  explicit Interpreter(Block program) : program_(std::move(program)) {
    for (size_t i = 0; i < kFutures; ++i) {
      futures_.push_back(create_future<int>());
    }
  }

  Coroutine<> main() {
    get_running_loop().set_exception_handler(
        [this](EventLoop&, const ExceptionContext& report) {
          if (report.message.ends_with("never retrieved")) return;
          if (report.message.ends_with("in shielded future")) return;
          std::string error;
          if (report.exception) error = text(report.exception);
          trace_ += "report: " + report.message + " " + error + "\n";
        });
    all_.push_back({0, create_task(body(0, program_))});
    co_await sleep(1000s);
    co_await end_tasks();
    // Closing one may make another.
    for (size_t i = 0; i < generators_.size(); ++i) {
      const Task<> closing = create_task(close(generators_[i]));
      const std::vector<Task<>> one{closing};
      WaitOptions options;
      options.timeout = 10s;
      while (!closing.done()) {
        co_await wait(one, options);
        closing.cancel();
      }
    }
    co_await end_tasks();
    for (const Numbered& one : all_) log(one.number, outcome(one.task));
  }

  Coroutine<> end_tasks() {
    for (int turn = 0; turn < 300; ++turn) {
      std::vector<Numbered> pending;
      for (const Numbered& one : all_) {
        if (!one.task.done()) pending.push_back(one);
      }
      if (pending.empty()) break;
      for (const Numbered& one : pending) {
        log(one.number, "is left", one.task.cancelling());
        one.task.cancel();
      }
      const int pause = turn % 4 != 0 ? 0 : 50;
      co_await sleep(pause * 1s);
    }
  }
  Coroutine<> close(AsyncGenerator<int>& generator) {
    Result<> end = co_await as_result(generator.aclose());
    if (!end) log(0, "aclose", end.exception());
  }

  std::string take_trace() { return std::move(trace_); }

 private:
  struct Numbered {
    int number = kNone;
    Task<int> task;
  };

  template <class... Words>
  void log(int me, const Words&... words) {
    const Duration now = get_running_loop().time() - VirtualClock::kStart;
    const auto seconds = static_cast<long>(now / 1s);
    trace_ += std::to_string(seconds) + " " + std::to_string(me) + ":";
    ((trace_ += " " + text(words)), ...);
    trace_ += "\n";
  }

  Coroutine<int> body(int me, const Block& block) {
    log(me, "begins");
    Result<int> end = co_await as_result(run_block(me, block, nullptr));
    if (end) {
      log(me, "ends", *end);
    } else {
      log(me, "ends", end.exception());
    }
    co_return std::move(end).value();
  }

  void start(size_t slot, int me, Task<int> task) {
    slots_[slot] = {me, task};
    all_.push_back({me, std::move(task)});
  }

  AsyncGenerator<int> generate(int me, const Block& block,
                               const Block& cleanup) {
    std::exception_ptr error;
    try {
      for (const Statement& s : block) {
        if (s.word == "yield") {
          const int value = ++number_;
          log(me, "yields", value);
          co_yield value;
        } else {
          const int returned = co_await step(me, s, nullptr);
          if (returned != kNone) break;
        }
      }
    } catch (...) {
      error = std::current_exception();
    }
    log(me, "generator ends");
    co_await run_block(me, cleanup, nullptr);
    if (error) std::rethrow_exception(error);
  }

  // What a return statement gave, or kNone.
  Coroutine<int> run_block(int me, const Block& block, TaskGroup* group) {
    for (const Statement& statement : block) {
      const int value = co_await step(me, statement, group);
      if (value != kNone) co_return value;
    }
    co_return kNone;
  }

  Coroutine<int> step(int me, const Statement& s, TaskGroup* group) {
    const std::string& word = s.word;
    if (word == "timeout" || word == "waitforb" || word == "group" ||
        word == "try" || word == "finally" || word == "lock" || word == "sem") {
      const int value = co_await step_around(me, s, group);
      co_return value;
    }
    if (word == "gather" || word == "gwaitfor" || word == "wait" ||
        word == "completed" || word == "first") {
      co_await step_of_many(me, s);
      co_return kNone;
    }
    if (word == "cancel" || word == "await" || word == "waitfor" ||
        word == "shield" || word == "look" || word == "tcall") {
      co_await step_of_task(me, s);
      co_return kNone;
    }
    if (word == "sleep") {
      const Duration delay = std::stoi(s.args[0]) * 1s;
      co_await sleep(delay);
    } else if (word == "fawait") {
      Future<int> future = futures_[s.slot()];
      const int value = co_await future;
      log(me, "fawait", value);
    } else if (word == "put") {
      co_await queue_.put(++number_);
    } else if (word == "get") {
      const int item = co_await queue_.get();
      log(me, "get", item);
    } else if (word == "evwait") {
      co_await event_.wait();
      log(me, "event");
    } else if (word == "gnext" || word == "gclose") {
      AsyncGenerator<int>* generator = current_generators_[s.slot()];
      if (generator == nullptr) {
        log(me, word, "nobody");
      } else if (word == "gclose") {
        co_await generator->aclose();
        log(me, "gclose");
      } else {
        const std::optional<int> item = co_await generator->next();
        log(me, "gnext", item.value_or(kNone));
      }
    } else if (word == "cwait") {
      auto inside = [&]() -> Coroutine<> {
        co_await condition_.wait();
        log(me, "cwait");
      };
      co_await with(condition_, inside);
    } else if (word == "cnotify") {
      auto inside = [&] { condition_.notify(); };
      co_await with(condition_, inside);
    } else if (word == "cnotifyall") {
      auto inside = [&] { condition_.notify_all(); };
      co_await with(condition_, inside);
    } else if (word == "bwait") {
      const size_t index = co_await barrier_.wait();
      log(me, "bwait", index);
    } else if (word == "breset") {
      co_await barrier_.reset();
      log(me, "breset", barrier_.n_waiting(), barrier_.broken());
    } else if (word == "babort") {
      co_await barrier_.abort();
      log(me, "babort", barrier_.n_waiting(), barrier_.broken());
    } else if (word == "qjoin") {
      co_await queue_.join();
      log(me, "qjoin");
    } else if (word == "gatherf") {
      co_await step_gather(me, s, futures_);
    } else if (word == "fshield") {
      Future<int> future = futures_[s.slot()];
      const int value = co_await shield(future);
      log(me, "fshield", value);
    } else if (word == "fwaitfor") {
      Future<int> future = futures_[s.slot(1)];
      const std::optional<Duration> within = limit(s.args[0]);
      const int value = co_await wait_for(future, within);
      log(me, "fwaitfor", value);
    } else if (word == "return") {
      co_return std::stoi(s.args[0]);
    } else {
      step_at_once(me, s, group);
    }
    co_return kNone;
  }

  void step_at_once(int me, const Statement& s, TaskGroup* group) {
    const std::string& word = s.word;
    const AnyTask me_task = current_task();
    EventLoop& loop = get_running_loop();
    if (word == "spawn") {
      const int number = ++number_;
      const bool eager = s.args[1] == "1";
      start(s.slot(), number,
            create_task(body(number, s.blocks[0]), {.eager_start = eager}));
    } else if (word == "child") {
      if (group == nullptr) return log(me, "no group");
      const int number = ++number_;
      try {
        start(s.slot(), number, group->create_task(body(number, s.blocks[0])));
      } catch (const RuntimeError&) {
        log(me, "child", number, "refused");
      }
    } else if (word == "gnew") {
      const int number = me * 1000 + ++number_;
      generators_.push_back(generate(number, s.blocks[0], s.blocks[1]));
      current_generators_[s.slot()] = &generators_.back();
    } else if (word == "yield") {
    } else if (word == "qdone") {
      queue_.task_done();
    } else if (word == "vset") {
      variable.set(++number_);
    } else if (word == "vget") {
      log(me, "vget", variable.get());
    } else if (word == "fresult") {
      Future<int>& future = futures_[s.slot()];
      if (!future.done()) future.set_result(static_cast<int>(s.slot()));
    } else if (word == "ferror") {
      Future<int>& future = futures_[s.slot()];
      if (!future.done()) future.set_exception(ValueError("f" + s.args[0]));
    } else if (word == "fcancel") {
      log(me, "fcancel", futures_[s.slot()].cancel());
    } else if (word == "fnew") {
      Future<int>& future = futures_[s.slot()];
      if (future.done()) future = create_future<int>();
    } else if (word == "fcall") {
      const int number = ++number_;
      futures_[s.slot()].add_done_callback(
          [this, number](Future<int> f) { log(number, "told", outcome(f)); });
    } else if (word == "putnow") {
      const int number = ++number_;
      try {
        queue_.put_nowait(number);
      } catch (const QueueFull&) {
        log(me, "full");
      }
    } else if (word == "getnow") {
      try {
        log(me, "get", queue_.get_nowait());
      } catch (const QueueEmpty&) {
        log(me, "empty");
      }
    } else if (word == "evset") {
      event_.set();
    } else if (word == "evclear") {
      event_.clear();
    } else if (word == "raise") {
      throw ValueError("v" + std::to_string(++number_));
    } else if (word == "raisecancel") {
      throw CancelledError();
    } else if (word == "selfcancel") {
      me_task.cancel();
    } else if (word == "uncancel") {
      log(me, "uncancel", me_task.uncancel());
    } else if (word == "cancelling") {
      log(me, "cancelling", me_task.cancelling());
    } else if (word == "soon") {
      const int number = ++number_;
      loop.call_soon([this, number] { log(number, "soon", variable.get()); });
    } else if (word == "later") {
      const int number = ++number_;
      loop.call_later(std::stoi(s.args[0]) * 1s,
                      [this, number] { log(number, "later", variable.get()); });
    } else {
      throw RuntimeError("no statement: " + word);
    }
  }

  // With blocks that it awaits.
  Coroutine<int> step_around(int me, const Statement& s, TaskGroup* group) {
    const std::string& word = s.word;
    int value = kNone;
    if (word == "timeout") {
      Timeout scope = timeout(limit(s.args[0]));
      auto inside = [&]() -> Coroutine<> {
        value = co_await run_block(me, s.blocks[0], group);
      };
      Result<> end = co_await as_result(with(scope, inside));
      log(me, "timeout", scope.expired());
      end.rethrow();
    } else if (word == "waitforb") {
      const std::optional<Duration> within = limit(s.args[0]);
      value = co_await wait_for(run_block(me, s.blocks[0], nullptr), within);
      log(me, "in time", value);
    } else if (word == "group" && current_task().cancelling() > 0) {
      log(me, "no group");  // docs/deviations.md: there the two part
    } else if (word == "group") {
      auto inside = [&](TaskGroup& inner) -> Coroutine<> {
        value = co_await run_block(me, s.blocks[0], &inner);
      };
      co_await with(TaskGroup(), inside);
      log(me, "group ends");
    } else if (word == "try") {
      Result<int> end = co_await as_result(run_block(me, s.blocks[0], group));
      if (end) co_return *end;
      const bool exception =
          exception_cast<std::exception>(end.exception()) != nullptr;
      const bool caught = s.args[0] == "base" ||
                          (s.args[0] == "exc" && exception) ||
                          (s.args[0] == "cancel" && end.cancelled());
      if (!caught) end.rethrow();
      log(me, "caught", end.exception());
      value = co_await run_block(me, s.blocks[1], group);
    } else if (word == "finally") {
      Result<int> end = co_await as_result(run_block(me, s.blocks[0], group));
      log(me, "finally");
      co_await run_block(me, s.blocks[1], group);
      value = std::move(end).value();
    } else {
      auto inside = [&]() -> Coroutine<int> {
        log(me, word);
        const int returned = co_await run_block(me, s.blocks[0], group);
        co_return returned;
      };
      if (word == "lock") {
        value = co_await with(lock_, inside);
      } else {
        value = co_await with(sem_, inside);
      }
    }
    co_return value;
  }

  // Of tasks, or of futures.
  template <class Handle>
  Coroutine<> step_gather(int me, const Statement& s,
                          const std::vector<Handle>& some) {
    std::string line;
    if (s.args[0] == "1") {
      const std::vector<Result<int>> values =
          co_await gather(return_exceptions, some);
      for (const Result<int>& v : values) {
        line += " " + (v ? text(*v) : text(v.exception()));
      }
    } else {
      const std::vector<int> values = co_await gather(some);
      for (const int v : values) line += " " + text(v);
    }
    log(me, s.word + line);
  }

  // A task waits for younger ones alone.
  Coroutine<> step_of_many(int me, const Statement& s) {
    const std::string& word = s.word;
    std::vector<Task<int>> some;
    for (size_t i = word == "wait" ? 2 : 1; i < s.args.size(); ++i) {
      const Numbered& one = slots_[s.slot(i)];
      if (one.number > me) some.push_back(one.task);
    }
    if (some.empty()) {
      log(me, word, "nobody");
      co_return;
    }
    if (word == "gather") {
      co_await step_gather(me, s, some);
    } else if (word == "gwaitfor") {
      const std::vector<int> values =
          co_await wait_for(gather(some), limit(s.args[0]));
      std::string line;
      for (const int v : values) line += " " + text(v);
      log(me, word + line);
    } else if (word == "wait") {
      std::string line;
      WaitOptions options;
      options.timeout = limit(s.args[1]);
      if (s.args[0] == "first") options.return_when = FIRST_COMPLETED;
      if (s.args[0] == "exc") options.return_when = FIRST_EXCEPTION;
      const WaitResult<Task<int>> end = co_await wait(some, options);
      for (const Task<int>& t : some)
        line += contains(end.done, t) ? " d" : " p";
      log(me, "wait", end.done.size(), text(end.pending.size()) + line);
    } else if (word == "first") {
      auto it = as_completed(some, limit(s.args[0]));
      if (auto task = co_await it.next()) {
        const auto at = std::ranges::find(some, *task) - some.begin();
        log(me, "first", static_cast<size_t>(at), outcome(*task));
      }
    } else {
      auto it = as_completed(some, limit(s.args[0]));
      while (auto task = co_await it.next()) {
        const auto at = std::ranges::find(some, *task) - some.begin();
        log(me, "completed", static_cast<size_t>(at), outcome(*task));
      }
    }
  }

  Coroutine<> step_of_task(int me, const Statement& s) {
    const std::string& word = s.word;
    const Numbered one = slots_[s.slot(s.args.size() - 1)];
    const bool waits = word == "await" || word == "waitfor" || word == "shield";
    if (!one.task || (waits && one.number <= me)) {
      log(me, word, "nobody");
      co_return;
    }
    if (word == "cancel") {
      log(me, "cancel", one.task.cancel());
    } else if (word == "look") {
      log(me, "look", outcome(one.task), one.task.cancelling());
    } else if (word == "tcall") {
      const int number = ++number_;
      one.task.add_done_callback(
          [this, number](Task<int> t) { log(number, "told", outcome(t)); });
    } else if (word == "await") {
      const int value = co_await one.task;
      log(me, "await", value);
    } else if (word == "waitfor") {
      const std::optional<Duration> within = limit(s.args[0]);
      const int value = co_await wait_for(one.task, within);
      log(me, "waitfor", value);
    } else {
      const int value = co_await shield(one.task);
      log(me, "shield", value);
    }
  }

  const Block program_;
  std::string trace_;
  Lock lock_;
  Semaphore sem_{2};
  Event event_;
  Queue<int> queue_{2};
  Condition condition_;
  Barrier barrier_{2};
  std::deque<AsyncGenerator<int>> generators_;
  AsyncGenerator<int>* current_generators_[kGenerators] = {};
  Numbered slots_[kTasks];
  std::vector<Future<int>> futures_;
  std::vector<Numbered> all_;
  int number_ = 0;
};

std::string trace_of(const std::string& line) {
  VirtualClock clock;
  Runner runner(new_event_loop({.clock = &clock}));
  std::istringstream in(line);
  std::string brace;
  in >> brace;
  std::unique_ptr<Interpreter> interpreter;
  auto main = [&]() -> Coroutine<> {
    interpreter = std::make_unique<Interpreter>(parse(in));
    co_await interpreter->main();
  };
  runner.run(main);
  runner.close();
  return interpreter->take_trace();
}

// RANDOM_PROGRAMS names another folder, for more of them.
std::ifstream open(const std::string& name) {
  const char* folder = std::getenv("RANDOM_PROGRAMS");
  std::string path = folder != nullptr ? folder : "tests/conformance/random";
  std::ifstream file(path + "/" + name);
  EXPECT_TRUE(file) << "cannot open " << name;
  return file;
}

TEST(RandomProgramsTest, DoWhatTheyDoUnderPython) {
  std::ifstream programs = open("programs.txt");
  std::ifstream traces = open("traces.txt");
  std::string line;
  std::getline(traces, line);  // "program 0"
  std::string program;
  int count = 0;
  for (; std::getline(programs, program); ++count) {
    std::string expected;
    while (std::getline(traces, line) && !line.starts_with("program ")) {
      expected += line + "\n";
    }
    EXPECT_EQ(trace_of(program), expected)
        << "of program " << count << ": " << program;
    if (HasFailure()) break;
  }
  EXPECT_GE(count, 100);
}

}  // namespace
}  // namespace asyncio
