// Giving memory back at once, where it must not outlive its use.
#pragma once

#include <string>

namespace millrace {

// Empty, and without a piece of memory of its own. (Assigning an empty string keeps the memory.)
inline void give_back(std::string& text) {
    std::string().swap(text);
}

}  // namespace millrace
