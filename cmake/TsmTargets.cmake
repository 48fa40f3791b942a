# The flags that every target of the project shares, and three verbs that apply them.

function(tsm_flags target)
  # -Wno-restrict: at -O2 g++ 12 sees an overlap in `"text" + std::string` that is not there (GCC bug 105651).
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wno-restrict)
  if(TSM_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(TSM_SANITIZE STREQUAL "address")
    set(san -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  elseif(TSM_SANITIZE STREQUAL "thread")
    # g++ 12 warns that std::atomic_thread_fence is not understood; libstdc++'s stop_token does not need it.
    set(san -fsanitize=thread -Wno-tsan)
  elseif(TSM_SANITIZE)
    message(FATAL_ERROR "TSM_SANITIZE=${TSM_SANITIZE}: use address, thread or leave it empty")
  endif()
  if(san)
    target_compile_options(${target} PRIVATE ${san} -g1)
    target_link_options(${target} PRIVATE ${san})
  endif()
endfunction()

function(tsm_library target)
  add_library(${target} STATIC ${ARGN})
  tsm_flags(${target})
endfunction()

function(tsm_executable target)
  add_executable(${target} ${ARGN})
  tsm_flags(${target})
endfunction()

# A GoogleTest program; each of its tests is a ctest of its own, which may take 120 s or SECONDS.
function(tsm_test target)
  cmake_parse_arguments(arg "" "SECONDS" "SOURCES;LIBRARIES" ${ARGN})
  if(NOT arg_SECONDS)
    set(arg_SECONDS 120)
  endif()
  add_executable(${target} ${arg_SOURCES})
  tsm_flags(${target})
  # A test's own code runs once: what the optimizer takes to compile it is never earned back.
  target_compile_options(${target} PRIVATE -O0)
  target_link_libraries(${target} PRIVATE ${arg_LIBRARIES} GTest::gtest GTest::gmock GTest::gtest_main)
  gtest_discover_tests(${target} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT ${arg_SECONDS})
endfunction()
