#pragma once
// The program as a user at a shell has it: run in a folder, with its exit code and both streams.
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/harness.h"

namespace gramflow::test {

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
  bool says(const std::string& words) const {
    return out.find(words) != std::string::npos || err.find(words) != std::string::npos;
  }
};

/// A word that a shell takes as it is.
inline std::string quoted(const std::string& word) {
  std::string result = "'";
  for (const char letter : word) result += letter == '\'' ? "'\\''" : std::string(1, letter);
  return result + "'";
}

inline std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline std::string program_path() {
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "gramflow").string();
}

/// Runs `before gramflow arguments` in a folder; `before` may set variables of the environment.
inline Outcome run_in(const std::string& folder, const std::string& arguments,
                      const std::string& before = "") {
  const TemporaryFolder streams;
  const std::string command = "cd " + quoted(folder) + " && " + before + " " + quoted(program_path()) + " " +
                              arguments + " >" + quoted(streams / "out") + " 2>" + quoted(streams / "err");
  Outcome outcome;
  const int status = std::system(command.c_str());
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.out = text_of(streams / "out");
  outcome.err = text_of(streams / "err");
  return outcome;
}

/// Writes a text, with the folders that it needs.
inline void put(const TemporaryFolder& folder, const std::string& name, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(folder / name).parent_path());
  std::ofstream(folder / name, std::ios::binary) << text;
}

/// Writes a grey picture; its format is known by its first bytes, whatever the name.
inline void put_picture(const TemporaryFolder& folder, const std::string& name, int width, int height) {
  put(folder, name,
      "P5 " + std::to_string(width) + " " + std::to_string(height) + " 255\n" +
          std::string(static_cast<std::size_t>(width * height), '\x80'));
}

}  // namespace gramflow::test
