# Flags for our own code only: third-party headers are SYSTEM and generated code links neither target.

add_library(millrace_flags INTERFACE)
target_compile_options(millrace_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
    -Wold-style-cast -Woverloaded-virtual -Wnull-dereference -Wimplicit-fallthrough -Werror)
target_include_directories(millrace_flags INTERFACE ${PROJECT_SOURCE_DIR})
# One thread runs the event loop; Asio needs no locks of its own there (docs/adr/0002).
target_compile_definitions(millrace_flags INTERFACE BOOST_ASIO_NO_DEPRECATED)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    # g++ 12 reports null dereferences inside optimised standard library code; clang and the
    # debug build keep the warning.
    target_compile_options(millrace_flags INTERFACE -Wno-null-dereference)
endif()

if(MILLRACE_SANITIZER)
    add_compile_options(-fsanitize=${MILLRACE_SANITIZER} -fno-sanitize-recover=all
        -fno-omit-frame-pointer)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        # clang 14 cannot assemble coroutines with the function sanitizer.
        add_compile_options(-fno-sanitize=function)
    endif()
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND MILLRACE_SANITIZER MATCHES "thread")
        # Boost's fences are beyond this sanitizer; nothing of ours relies on one.
        add_compile_options(-Wno-tsan)
    endif()
    add_link_options(-fsanitize=${MILLRACE_SANITIZER})
endif()

if(MILLRACE_HARDENED)
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong
        -fstack-clash-protection -fcf-protection)
    add_link_options(-Wl,-z,relro,-z,now -pie)
endif()
