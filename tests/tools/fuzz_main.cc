// main() of a fuzz test outside libFuzzer: gives LLVMFuzzerTestOneInput the
// empty input, each file named on the command line, and then made-up inputs,
// which are the files changed in a few places. The same in every run.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kMadeUpInputs = 5000;
constexpr size_t kMaxSize = 512;

void try_one(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()),
                         input.size());
}

std::string change(std::string input, std::mt19937& random) {
  auto below = [&](size_t n) { return random() % n; };
  if (input.empty() || below(4) == 0) input.resize(below(kMaxSize + 1));
  for (size_t changes = below(16); changes > 0 && !input.empty(); --changes) {
    input[below(input.size())] = static_cast<char>(below(256));
  }
  // Many a parser reads a byte as a choice: whole inputs of small numbers
  // reach more of it than bytes out of 256.
  if (below(2) == 0) {
    const size_t choices = 1 + below(32);
    for (char& c : input) c = static_cast<char>(below(choices));
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> inputs = {""};
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", argv[i]);
      return 1;
    }
    inputs.emplace_back(std::istreambuf_iterator<char>(file),
                        std::istreambuf_iterator<char>());
  }
  for (const std::string& input : inputs) try_one(input);
  std::mt19937 random(1);  // NOLINT: the same inputs in every run
  for (int i = 0; i < kMadeUpInputs; ++i) {
    try_one(change(inputs[random() % inputs.size()], random));
  }
  std::printf("%zu files and %d made-up inputs\n", inputs.size() - 1,
              kMadeUpInputs);
  return 0;
}
