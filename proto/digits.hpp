// Numbers of a known width as decimal digits.
#pragma once

namespace millrace {

// 7 as "007"; returns where it stopped. REQUIRES: number < 1000.
inline char* put_three_digits(char* to, unsigned number) {
    *to++ = static_cast<char>('0' + number / 100);
    *to++ = static_cast<char>('0' + number / 10 % 10);
    *to++ = static_cast<char>('0' + number % 10);
    return to;
}

}  // namespace millrace
