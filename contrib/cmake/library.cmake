# millrace_library(NAME SOURCES a.cpp ... HEADERS a.hpp ... LINK target ...)
# One static library per directory. Its headers form a header set, so that every header is also
# compiled alone (target all_verify_interface_header_sets).
function(millrace_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;LINK" ${ARGN})
    add_library(${name} STATIC ${ARG_SOURCES})
    target_sources(${name} PUBLIC FILE_SET HEADERS
        BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${ARG_HEADERS})
    target_link_libraries(${name} PUBLIC ${ARG_LINK} PRIVATE millrace_flags)
    target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
    set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
endfunction()

# millrace_test(NAME LABEL unit|integration [THREADS] SOURCES ... LINK ...)
# One executable is one test of ctest: a process for each of its hundreds of cases would cost more
# than the cases. Those that start threads, as all of integration do, have the label `threads` too
# and are built by the target of that name: what ThreadSanitizer has something to say about.
function(millrace_test name)
    cmake_parse_arguments(ARG "THREADS" "LABEL" "SOURCES;LINK" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE millrace_flags ${ARG_LINK} GTest::gtest_main GTest::gmock)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME ${name} COMMAND ${name})
    set(labels ${ARG_LABEL})
    if(ARG_THREADS OR ARG_LABEL STREQUAL "integration")
        list(APPEND labels threads)
        add_dependencies(threads ${name})
    endif()
    set_tests_properties(${name} PROPERTIES LABELS "${labels}" TIMEOUT 900)
endfunction()
