#include "pipelines/run/written_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "framework/base/error.h"
#include "framework/base/replaced_file.h"
#include "framework/base/stale_files.h"
#include "framework/base/text.h"

namespace gramflow {
namespace fs = std::filesystem;
namespace {

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

bool matches(std::string_view pattern, std::string_view text) {
  for (const std::string_view placeholder : {"{iteration}", "{stage}"}) {
    if (!pattern.starts_with(placeholder)) continue;
    std::size_t digits = 0;
    while (digits < text.size() && is_digit(text[digits])) {
      ++digits;
      if (matches(pattern.substr(placeholder.size()), text.substr(digits))) return true;
    }
    return false;
  }
  if (pattern.empty() || text.empty()) return pattern.empty() && text.empty();
  return pattern[0] == text[0] && matches(pattern.substr(1), text.substr(1));
}

/// Links followed; as it stands when they cannot be.
std::string target_of(const std::string& path) {
  try {
    return writing_target(path).string();
  } catch (const RunError&) {
    return path;
  }
}

bool is_same(const std::string& a, const std::string& b) {
  const std::string first = target_of(a), second = target_of(b);
  std::error_code failed;
  return matches(first, second) || matches(second, first) || fs::equivalent(first, second, failed);
}

std::string kind_problem(const std::string& path) {
  std::error_code failed;
  const fs::file_status status = fs::status(target_of(path), failed);
  if (fs::is_directory(status)) return "a folder";
  if (fs::is_character_file(status) || fs::is_block_file(status)) return "a device";
  if (fs::is_fifo(status)) return "a pipe";
  if (fs::is_socket(status)) return "a socket";
  return "";
}

}  // namespace

bool may_become(const std::string& pattern, const std::string& path) { return matches(pattern, path); }

WrittenFiles::WrittenFiles(const std::vector<std::unique_ptr<CompiledStage>>& stages,
                           const std::vector<std::string>& pipeline_files) {
  for (const std::string& file : pipeline_files) reads("the pipeline", file);
  std::set<std::string> seen;
  std::string preview;
  for (const auto& stage : stages)
    for (const UsedFile& file : stage->files) {
      if (!file.writes) {
        reads(file.what == "picture" ? "a picture that is read"
                                     : "the " + file.what + " of '" + file.node + "'",
              file.path);
        continue;
      }
      if (!seen.insert(file.node + "\n" + file.path).second) continue;
      written_.push_back({"the picture of '" + file.node + "'", file.path, file.span});
      std::string& first = file.path.find('{') == std::string::npos ? first_picture_ : preview;
      if (first.empty()) first = file.path;
    }
  if (first_picture_.empty()) first_picture_ = preview;
  pictures_ = written_.size();
}

void WrittenFiles::reads(std::string what, std::string path) {
  read_.push_back({std::move(what), std::move(path)});
}

void WrittenFiles::check() const {
  Diagnostics found;
  for (std::size_t i = 0; i < written_.size(); ++i) {
    const WrittenFile& file = written_[i];
    const auto clash = [&](const std::string& with) {
      found
          .error("file-used-twice", file.span,
                 fmt::format("{}, {}, is also {}", file.what, quote(file.path, 200), with))
          .suggest("choose another name");
    };
    if (const std::string kind = kind_problem(file.path); !kind.empty())
      found.error("unwritable", file.span,
                  fmt::format("{}, {}, is {}; a file was expected, or a name that is free", file.what,
                              quote(file.path, 200), kind));
    const auto read = std::find_if(read_.begin(), read_.end(),
                                   [&](const ReadFile& other) { return is_same(file.path, other.path); });
    if (read != read_.end()) clash(read->what + ", and would be overwritten");
    for (std::size_t k = 0; k < i; ++k)
      if (i >= pictures_ && is_same(file.path, written_[k].path)) clash(written_[k].what);
  }
  if (found.has_errors()) throw InvalidPipeline(std::move(found));
}

std::vector<OutputLock> WrittenFiles::lock(const std::string& pipeline) const {
  const std::string says = this_process() + ", pipeline " + one_line(pipeline);
  std::set<std::string> targets;
  std::set<fs::path> folders;
  std::vector<OutputLock> locks;
  for (const WrittenFile& file : written_)
    if (fs::path(file.path).parent_path().string().find('{') == std::string::npos &&
        targets.insert(target_of(file.path)).second)
      locks.emplace_back(file.path, says);
  for (const std::string& target : targets) folders.insert(fs::path(target).parent_path());
  for (const fs::path& folder : folders) remove_stale_files(folder);
  return locks;
}

}  // namespace gramflow
