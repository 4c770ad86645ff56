// The code in the documentation is compiled: each ```cpp block of a page, and
// each piece of code in the C++ column of a table, stands in a source file
// among this test's data. White space does not count.
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file),
          std::istreambuf_iterator<char>()};
}

std::string without_space(const std::string& text) {
  std::string dense;
  for (const char c : text) {
    if (!std::isspace(static_cast<unsigned char>(c))) dense += c;
  }
  return dense;
}

// The files of `folder` with that ending; no more than one level deep.
std::vector<fs::path> files_in(const fs::path& folder, const char* ending) {
  std::vector<fs::path> files;
  if (!fs::exists(folder)) return files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ending) files.push_back(entry.path());
  }
  return files;
}

// The cells of `| a | b |`; a `\|` is no border.
std::vector<std::string> cells_of(const std::string& row) {
  std::vector<std::string> cells(1);
  for (size_t i = 0; i < row.size(); ++i) {
    if (row[i] == '\\' && i + 1 < row.size() && row[i + 1] == '|') {
      cells.back() += row[++i];
    } else if (row[i] == '|') {
      cells.emplace_back();
    } else {
      cells.back() += row[i];
    }
  }
  return cells;
}

// What stands between `backticks`.
std::vector<std::string> code_in(const std::string& text) {
  static const std::regex code("`([^`]+)`");
  std::vector<std::string> pieces;
  for (std::sregex_iterator it(text.begin(), text.end(), code), end; it != end;
       ++it) {
    pieces.push_back((*it)[1]);
  }
  return pieces;
}

std::vector<std::string> quotes_of(const std::string& page) {
  std::vector<std::string> quotes;
  bool in_block = false;
  size_t cpp_column = 0;  // 0: in no table that has one
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (in_block) {
      in_block = line != "```";
      if (in_block) quotes.back() += line + "\n";
    } else if (line == "```cpp") {
      in_block = true;
      quotes.emplace_back();
    } else if (!line.starts_with("|")) {
      cpp_column = 0;
    } else {
      const std::vector<std::string> cells = cells_of(line);
      if (cpp_column != 0 && cpp_column < cells.size()) {
        for (std::string& code : code_in(cells[cpp_column])) {
          quotes.push_back(std::move(code));
        }
      }
      for (size_t i = 0; i < cells.size(); ++i) {
        if (cells[i] == " C++ ") cpp_column = i;
      }
    }
  }
  return quotes;
}

TEST(QuotesTest, EachStandsInASource) {
  std::string sources;
  for (const char* folder : {"examples", "tests/docs"}) {
    for (const fs::path& file : files_in(folder, ".cc")) {
      sources += without_space(read(file)) + "\n";
    }
  }
  std::vector<fs::path> pages = files_in("docs", ".md");
  if (fs::exists("README.md")) pages.emplace_back("README.md");
  ASSERT_FALSE(pages.empty());
  for (const fs::path& page : pages) {
    for (const std::string& quote : quotes_of(read(page))) {
      EXPECT_NE(sources.find(without_space(quote)), std::string::npos)
          << page << " quotes what no source has:\n"
          << quote;
    }
  }
}

TEST(QuotesTest, BlocksAndTheColumnAreFound) {
  const std::string page =
      "`not this`\n```cpp\nint a;\n```\n```sh\nnor this\n```\n"
      "| Python | C++ |\n|---|---|\n| `no` | `a \\| b`, `c` |\n\n| x | y |\n"
      "| `no` | `no` |\n";
  EXPECT_EQ(quotes_of(page),
            (std::vector<std::string>{"int a;\n", "a | b", "c"}));
}

}  // namespace
