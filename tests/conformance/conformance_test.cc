// Runs the programs that it is given, tests/conformance/AREA_NN_name, and compares
// what each prints with tests/conformance/AREA/NN_name.expected.
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace {

class TwinTest : public ::testing::Test {
 public:
  TwinTest(std::string program, std::string expected)
      : program_(std::move(program)), expected_(std::move(expected)) {}

  void TestBody() override {
    std::ifstream file(expected_);
    ASSERT_TRUE(file) << "cannot open " << expected_;
    const std::string expected((std::istreambuf_iterator<char>(file)),
                               std::istreambuf_iterator<char>());
    FILE* output = popen(("exec ./" + program_).c_str(), "r");
    ASSERT_NE(output, nullptr);
    std::string printed;
    std::array<char, 4096> part;
    while (size_t n = fread(part.data(), 1, part.size(), output)) {
      printed.append(part.data(), n);
    }
    const int status = pclose(output);
    EXPECT_EQ(printed, expected);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << program_ << " ended with wait status " << status;
  }

 private:
  std::string program_;
  std::string expected_;
};

// "tests/conformance/waits_03_gather" is the program of "waits/03_gather".
void register_twin(const std::string& program) {
  const size_t name = program.rfind('/') + 1;
  const size_t split = program.find('_', name);
  const std::string area = program.substr(name, split - name);
  const std::string stem = program.substr(split + 1);
  const std::string expected =
      program.substr(0, name) + area + "/" + stem + ".expected";
  ::testing::RegisterTest(area.c_str(), stem.c_str(), nullptr, nullptr,
                          __FILE__, __LINE__, [program, expected]() -> TwinTest* {
                            return new TwinTest(program, expected);
                          });
}

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) register_twin(argv[i]);
  return RUN_ALL_TESTS();
}
