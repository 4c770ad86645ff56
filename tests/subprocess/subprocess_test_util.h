// What the tests of subprocesses share.
#ifndef ASYNCIO_TESTS_SUBPROCESS_SUBPROCESS_TEST_UTIL_H_
#define ASYNCIO_TESTS_SUBPROCESS_SUBPROCESS_TEST_UTIL_H_

#include <cerrno>
#include <dirent.h>
#include <fstream>
#include <signal.h>
#include <stdlib.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "gtest/gtest.h"

#include "asyncio/loop/event_loop.h"

namespace asyncio {

// A folder of the test's own, removed with what is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    char name[] = "/tmp/asyncio_process_XXXXXX";
    path_ = mkdtemp(name);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    for (const std::string& file : files_) unlink(file.c_str());
    rmdir(path_.c_str());
  }

  const std::string& path() const { return path_; }
  // A file in it, by its path. One that is not executable has mode 0600.
  std::string write(std::string_view name, std::string_view text,
                    bool executable) {
    files_.push_back(path_ + "/" + std::string(name));
    std::ofstream(files_.back()) << text;
    EXPECT_EQ(chmod(files_.back().c_str(), executable ? 0700 : 0600), 0);
    return files_.back();
  }

 private:
  std::string path_;
  std::vector<std::string> files_;
};

// The descriptors that this process has open.
inline int open_descriptors() {
  DIR* folder = opendir("/proc/self/fd");
  int count = -1;  // its own
  while (const dirent* entry = readdir(folder))
    count += entry->d_name[0] != '.';
  closedir(folder);
  return count;
}

// The same where no loop exists. The first loop leaves an eventfd to the next.
inline int descriptors_between_loops() {
  new_event_loop();
  return open_descriptors();
}

// Whether this process has a child that it has not reaped.
inline bool has_children() {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 ||
         errno != ECHILD;
}

}  // namespace asyncio

#endif  // ASYNCIO_TESTS_SUBPROCESS_SUBPROCESS_TEST_UTIL_H_
