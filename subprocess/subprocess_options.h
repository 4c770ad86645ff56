// SubprocessOptions: how a program is started.
//
//   create_subprocess_exec("ls", {.std_out = PIPE, .cwd = "/"});
//
// What is given by a pointer, a span or a view is copied by the call.
#ifndef ASYNCIO_SUBPROCESS_SUBPROCESS_OPTIONS_H_
#define ASYNCIO_SUBPROCESS_SUBPROCESS_OPTIONS_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace asyncio {

// For std_in, std_out and std_err, besides a descriptor of one's own.
inline constexpr int PIPE = -1;     // a stream of the Process
inline constexpr int STDOUT = -2;   // std_err alone: goes where std_out goes
inline constexpr int DEVNULL = -3;  // nothing to read; what is written is lost

// A map from names to values, by its address: `.env = &map`. Any type with
// pairs of strings for elements.
class EnvironmentRef {
 public:
  EnvironmentRef() = default;
  EnvironmentRef(std::nullptr_t) {}  // NOLINT: implicit
  template <class Map>
  EnvironmentRef(const Map* map)  // NOLINT: implicit
      : map_(map), copy_(&copy_map<Map>) {}

  explicit operator bool() const { return map_ != nullptr; }
  using Entries = std::vector<std::pair<std::string, std::string>>;
  Entries entries() const { return copy_(map_); }

 private:
  template <class Map>
  static Entries copy_map(const void* map) {
    Entries entries;
    for (const auto& [name, value] : *static_cast<const Map*>(map)) {
      entries.emplace_back(name, value);
    }
    return entries;
  }

  const void* map_ = nullptr;
  Entries (*copy_)(const void*) = nullptr;
};

// A user or a group, by number or by name.
class AccountRef {
 public:
  AccountRef() = default;
  template <std::integral I>
  AccountRef(I id) : id_(id), given_(true) {}  // NOLINT: implicit
  AccountRef(const char* name)                 // NOLINT: implicit
      : name_(name), given_(true) {}
  AccountRef(std::string_view name)  // NOLINT: implicit
      : name_(name), given_(true) {}
  AccountRef(const std::string& name)  // NOLINT: implicit
      : name_(name), given_(true) {}

  explicit operator bool() const { return given_; }
  int64_t id() const { return id_; }
  // Without one, id() counts.
  std::optional<std::string_view> name() const {
    if (name_.data() == nullptr) return std::nullopt;
    return name_;
  }

 private:
  std::string_view name_;
  int64_t id_ = 0;
  bool given_ = false;
};

struct SubprocessOptions {
  // PIPE, DEVNULL, STDOUT, a descriptor; empty: as in this process.
  std::optional<int> std_in = {};
  std::optional<int> std_out = {};
  std::optional<int> std_err = {};
  // The directory to start in; relative names of programs are looked for in it.
  std::string_view cwd = {};
  // The whole environment; null: this process's.
  EnvironmentRef env = {};
  AccountRef user = {};
  AccountRef group = {};
  // Apart from the terminal, and from its Ctrl-C.
  bool start_new_session = false;
  // 0: a new group, which the child leads. Else the number of one.
  std::optional<pid_t> process_group = {};
  // Open in the child under the same numbers. No other descriptor is, but for
  // the standard ones.
  std::span<const int> pass_fds = {};
  // Of the streams: see StreamReader.
  size_t limit = 64 * 1024;
  // The program that is run in place of the first argument; of a shell: in
  // place of /bin/sh.
  std::string_view executable = {};
  std::optional<std::span<const gid_t>> extra_groups = {};
  std::optional<mode_t> umask = {};
};

}  // namespace asyncio

#endif  // ASYNCIO_SUBPROCESS_SUBPROCESS_OPTIONS_H_
