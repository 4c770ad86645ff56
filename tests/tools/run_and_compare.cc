// Runs a program and checks how it ends and what it prints.
//
//   run_and_compare [CHECK...] -- PROGRAM [ARGUMENT...]
//
//   --expected=FILE   the standard output is FILE, line by line
//   --exit_code=N     the program exits with N (0 unless given)
//   --require=TEXT    TEXT stands somewhere in the standard output
//   --forbid=TEXT     TEXT does not
//
// In FILE a line `re: PATTERN` is a regular expression (std::regex, ECMAScript)
// that the whole line has to match, and a line `...` stands for any number of
// lines. The program's standard input is empty; its standard error is passed
// through and not looked at.
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <iterator>
#include <regex>
#include <spawn.h>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

struct Outcome {
  std::string out;
  int exit_code = 0;  // 128 + n where signal n ended the program, as in a shell
};

[[noreturn]] void give_up(const std::string& why) {
  std::cerr << "run_and_compare: " << why << "\n";
  std::exit(2);
}

Outcome run(char** argv) {
  int ends[2];
  if (pipe(ends) != 0) give_up(std::string("pipe: ") + std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
                                   O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  posix_spawn_file_actions_addclose(&actions, ends[1]);
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, argv[0], &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) give_up(std::string(argv[0]) + ": " + std::strerror(error));

  Outcome outcome;
  char buffer[4096];
  for (;;) {
    const ssize_t n = read(ends[0], buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    outcome.out.append(buffer, static_cast<size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) give_up(std::string("waitpid: ") + strerror(errno));
  }
  outcome.exit_code =
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

constexpr std::string_view kPattern = "re: ";
constexpr std::string_view kAnyLines = "...";

bool line_matches(const std::string& expected, const std::string& line) {
  if (!std::string_view(expected).starts_with(kPattern)) {
    return expected == line;
  }
  return std::regex_match(line, std::regex(expected.substr(kPattern.size())));
}

// The number of leading expected lines that can be met at best; all of them,
// and one more, where the whole of `lines` is met.
size_t compare(const std::vector<std::string>& expected,
               const std::vector<std::string>& lines) {
  // reach[j]: the expected lines so far can be met by the first j lines.
  std::vector<bool> reach(lines.size() + 1, false);
  reach[0] = true;
  for (size_t i = 0; i < expected.size(); ++i) {
    std::vector<bool> next(lines.size() + 1, false);
    bool any = false;
    for (size_t j = 0; j <= lines.size(); ++j) {
      if (expected[i] == kAnyLines) {
        next[j] = reach[j] || (j > 0 && next[j - 1]);
      } else {
        next[j] =
            j > 0 && reach[j - 1] && line_matches(expected[i], lines[j - 1]);
      }
      any = any || next[j];
    }
    if (!any) return i;
    reach = next;
  }
  return expected.size() + (reach[lines.size()] ? 1 : 0);
}

bool check_expected(const std::string& path, const std::string& out) {
  std::ifstream file(path);
  if (!file) give_up("cannot read " + path);
  const std::string text{std::istreambuf_iterator<char>(file),
                         std::istreambuf_iterator<char>()};
  const std::vector<std::string> expected = split_lines(text);
  const size_t met = compare(expected, split_lines(out));
  if (met > expected.size()) return true;
  if (met < expected.size()) {
    std::cerr << path << ":" << met + 1
              << ": this line is not met: " << expected[met] << "\n";
  } else {
    std::cerr << path << ": the program printed more than this\n";
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  std::string expected;
  int exit_code = 0;
  std::vector<std::string> required;
  std::vector<std::string> forbidden;
  int i = 1;
  for (; i < argc && std::string_view(argv[i]) != "--"; ++i) {
    const std::string arg = argv[i];
    const size_t equals = arg.find('=');
    const std::string name = arg.substr(0, equals);
    if (equals == std::string::npos) give_up("not understood: " + arg);
    const std::string value = arg.substr(equals + 1);
    if (name == "--expected") {
      expected = value;
    } else if (name == "--exit_code") {
      exit_code = std::stoi(value);
    } else if (name == "--require") {
      required.push_back(value);
    } else if (name == "--forbid") {
      forbidden.push_back(value);
    } else {
      give_up("not understood: " + arg);
    }
  }
  if (i + 1 >= argc) give_up("no program is named");

  const Outcome outcome = run(argv + i + 1);
  bool ok = true;
  if (outcome.exit_code != exit_code) {
    std::cerr << "it exited with " << outcome.exit_code << ", not with "
              << exit_code << "\n";
    ok = false;
  }
  if (!expected.empty()) ok = check_expected(expected, outcome.out) && ok;
  for (const std::string& text : required) {
    if (outcome.out.find(text) != std::string::npos) continue;
    std::cerr << "not in the output: " << text << "\n";
    ok = false;
  }
  for (const std::string& text : forbidden) {
    if (outcome.out.find(text) == std::string::npos) continue;
    std::cerr << "in the output: " << text << "\n";
    ok = false;
  }
  std::cout << outcome.out;
  return ok ? 0 : 1;
}
