# One way to make each kind of target, so that flags are set in one place.

add_library(gramflow_flags INTERFACE)
target_include_directories(gramflow_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(gramflow_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wno-missing-field-initializers $<$<BOOL:${GRAMFLOW_WERROR}>:-Werror>
  -ffp-contract=off)  # the compiler must not fuse on its own: kernels say where they fuse, so every build gives the same bits
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(gramflow_flags INTERFACE -Wno-restrict)  # GCC bug 105651: false alarms on std::string + literal
endif()
if(GRAMFLOW_SANITIZE)
  target_compile_options(gramflow_flags INTERFACE -fsanitize=${GRAMFLOW_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(gramflow_flags INTERFACE -fsanitize=${GRAMFLOW_SANITIZE})
endif()
if(GRAMFLOW_FUZZ)
  target_compile_options(gramflow_flags INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(gramflow_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# gramflow_library(name SOURCES a.cpp ... LIBRARIES x y)  -> static library with the project's flags
function(gramflow_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC gramflow_flags ${ARG_LIBRARIES})
endfunction()

# gramflow_test(name SOURCES ... LIBRARIES ... [LABELS heavy] [TIMEOUT seconds]) -> doctest executable known to CTest
function(gramflow_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE gramflow_flags gramflow_test_main ${ARG_LIBRARIES})
  target_compile_definitions(${name} PRIVATE GRAMFLOW_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 600)
  endif()
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS "${ARG_LABELS}")
endfunction()
