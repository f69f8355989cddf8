// A document of this repository as lines, for the tests that compare it with the programs.
#pragma once

#include <fstream>
#include <string>
#include <vector>

namespace millrace::test {

// `path` is relative to the top of the repository. Empty when the file is not there.
inline std::vector<std::string> read_lines(const std::string& path) {
    std::ifstream file(MILLRACE_SOURCE_DIR "/" + path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        lines.push_back(line);
    }
    return lines;
}

}  // namespace millrace::test
