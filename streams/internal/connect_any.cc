#include "asyncio/streams/internal/connect_any.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include "asyncio/base/exception_group.h"
#include "asyncio/base/exceptions.h"
#include "asyncio/base/result.h"
#include "asyncio/base/time.h"
#include "asyncio/loop/event_loop.h"
#include "asyncio/loop/internal/loop_access.h"
#include "asyncio/loop/internal/system.h"
#include "asyncio/streams/file_descriptor.h"
#include "asyncio/streams/getaddrinfo.h"
#include "asyncio/streams/socket_address.h"
#include "asyncio/streams/sockets.h"
#include "asyncio/task/as_result.h"
#include "asyncio/task/coroutine.h"
#include "asyncio/task/task.h"
#include "asyncio/task/wait.h"

namespace asyncio::internal {
namespace {

void bind_local(int fd, int family, const SocketAddress& local) {
  if (local.family() != family) {
    throw OSError("no matching local address with family=" +
                  std::to_string(family) + " found");
  }
  if (bind(fd, local.data(), local.size()) != 0) {
    throw_os_error(errno, "bind to " + local.to_string());
  }
}

Coroutine<FileDescriptor> connect_to(AddrInfo info,
                                     std::optional<SocketAddress> local) {
  System& system = LoopAccess::system(get_running_loop());
  const int made = system.socket(info.family, info.type, info.proto);
  if (made < 0) throw_os_error(-made, "socket for " + info.address.to_string());
  FileDescriptor fd(made);
  if (local) bind_local(made, info.family, *local);
  co_await sock_connect(made, info.address);
  co_return std::move(fd);
}

// Why each address failed; null for one that did not, or was not tried.
using Failures = std::vector<std::exception_ptr>;

// OSErrors are kept; what else was thrown passes.
void keep(std::exception_ptr& place, const Result<FileDescriptor>& failed) {
  if (failed.get_if<OSError>() == nullptr) failed.rethrow();
  place = failed.exception();
}

// One address after the other.
Coroutine<std::optional<Connected>> connect_in_turn(
    const std::vector<AddrInfo>& infos, const ConnectAnyOptions& options,
    Failures& failures) {
  for (size_t i = 0; i < infos.size(); ++i) {
    Result<FileDescriptor> result =
        co_await as_result(connect_to(infos[i], options.local_addr));
    if (result.has_value()) {
      co_return Connected(*std::move(result), infos[i].address);
    }
    keep(failures[i], result);
  }
  co_return std::nullopt;
}

class Race {
 public:
  Race(const std::vector<AddrInfo>& infos, const ConnectAnyOptions& options,
       Failures& failures)
      : infos_(infos), options_(options), failures_(failures) {}
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;
  // Whatever socket one has goes with its task.
  ~Race() { cancel_all(); }

  Coroutine<std::optional<Connected>> run() {
    EventLoop& loop = get_running_loop();
    std::optional<Connected> winner;
    for (size_t i = 0; i < infos_.size() && !winner; ++i) {
      start(i);
      const bool last = i + 1 == infos_.size();
      const TimePoint due = loop.time() + *options_.happy_eyeballs_delay;
      while (!winner && (last ? !running_.empty() : runs(i))) {
        WaitOptions until;
        until.return_when = FIRST_COMPLETED;
        if (!last) until.timeout = due - loop.time();
        auto waited = co_await wait(running_, until);
        if (waited.done.empty()) break;
        winner = take_done();
      }
    }
    cancel_all();
    if (!running_.empty()) static_cast<void>(co_await wait(running_));
    co_return std::move(winner);
  }

 private:
  void start(size_t i) {
    running_.push_back(create_task(connect_to(infos_[i], options_.local_addr)));
    numbers_.push_back(i);
  }

  // Whether the attempt that began last, `i`, is under way.
  bool runs(size_t i) const {
    return !numbers_.empty() && numbers_.back() == i;
  }

  // Takes out those that have ended; the first that is connected wins.
  std::optional<Connected> take_done() {
    std::optional<Connected> winner;
    for (size_t i = 0; i < running_.size();) {
      if (!running_[i].done()) {
        ++i;
        continue;
      }
      const size_t number = numbers_[i];
      const Task<FileDescriptor> task = std::move(running_[i]);
      running_.erase(running_.begin() + static_cast<ptrdiff_t>(i));
      numbers_.erase(numbers_.begin() + static_cast<ptrdiff_t>(i));
      const std::exception_ptr failure = task.exception();
      if (failure != nullptr) {
        keep(failures_[number], Result<FileDescriptor>(failure));
      } else if (!winner) {
        // Nobody else has the task.
        winner.emplace(std::move(const_cast<FileDescriptor&>(task.result())),
                       infos_[number].address);
      }
    }
    return winner;
  }

  void cancel_all() {
    for (const Task<FileDescriptor>& task : running_) task.cancel();
  }

  const std::vector<AddrInfo>& infos_;
  const ConnectAnyOptions& options_;
  Failures& failures_;
  // In the order of their start, with the numbers of their addresses.
  std::vector<Task<FileDescriptor>> running_;
  std::vector<size_t> numbers_;
};

// The families in turns, after `first - 1` of the first one.
std::vector<AddrInfo> interleaved(std::vector<AddrInfo> infos, size_t first) {
  std::vector<int> families;
  std::vector<std::vector<AddrInfo>> lists;
  for (AddrInfo& info : infos) {
    const auto found = std::find(families.begin(), families.end(), info.family);
    const size_t i = static_cast<size_t>(found - families.begin());
    if (found == families.end()) {
      families.push_back(info.family);
      lists.emplace_back();
    }
    lists[i].push_back(std::move(info));
  }
  std::vector<AddrInfo> result;
  const size_t before = std::min(first - 1, lists[0].size());
  for (size_t i = 0; i < before; ++i) result.push_back(std::move(lists[0][i]));
  lists[0].erase(lists[0].begin(),
                 lists[0].begin() + static_cast<ptrdiff_t>(before));
  for (size_t i = 0; result.size() < infos.size(); ++i) {
    for (std::vector<AddrInfo>& list : lists) {
      if (i < list.size()) result.push_back(std::move(list[i]));
    }
  }
  return result;
}

[[noreturn]] void throw_failure(const Failures& failures, bool all_errors) {
  if (all_errors) throw ExceptionGroup("create_connection failed", failures);
  const std::string model = exception_message(failures[0]);
  std::string text;
  bool same = true;
  for (const std::exception_ptr& failure : failures) {
    const std::string message = exception_message(failure);
    same = same && message == model;
    text += (text.empty() ? "" : ", ") + message;
  }
  if (same) std::rethrow_exception(failures[0]);
  throw OSError("Multiple exceptions: " + text);
}

}  // namespace

Coroutine<Connected> connect_any(std::vector<AddrInfo> infos,
                                 ConnectAnyOptions options) {
  if (options.interleave > 0) {
    infos = interleaved(std::move(infos), options.interleave);
  }
  Failures failures(infos.size());
  std::optional<Connected> connected;
  if (options.happy_eyeballs_delay) {
    Race race(infos, options, failures);
    connected = co_await race.run();
  } else {
    connected = co_await connect_in_turn(infos, options, failures);
  }
  if (!connected) throw_failure(failures, options.all_errors);
  co_return *std::move(connected);
}

}  // namespace asyncio::internal
