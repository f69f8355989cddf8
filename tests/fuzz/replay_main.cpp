// Feeds files, or all files of directories, to one fuzz target: the corpus as an ordinary test.

#include "tests/fuzz/fuzz_target.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

namespace {

void replay(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    const std::vector<std::uint8_t> octets(bytes.begin(), bytes.end());
    LLVMFuzzerTestOneInput(octets.data(), octets.size());
}

std::size_t replay_all(const std::filesystem::path& path) {
    if (!std::filesystem::is_directory(path)) {
        replay(path);
        return 1;
    }
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path)) {
        replay(entry.path());
        ++count;
    }
    return count;
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t count = 0;
    for (int i = 1; i < argc; ++i) {
        count += replay_all(argv[i]);
    }
    std::cout << count << " inputs replayed\n";
    return count == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
