#include "framework/config/read_pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "framework/base/error.h"
#include "framework/base/plain_file.h"
#include "framework/base/text.h"
#include "framework/config/document.h"
#include "framework/config/files.h"
#include "framework/config/yaml_text.h"

namespace gramflow {

namespace {

/// One byte more than is allowed shows that there is more; the rest of a huge file is nobody's business.
std::string read_text(std::istream& stream) {
  std::string text(longest_file + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  text.shrink_to_fit();
  return text;
}

[[noreturn]] void report_folder(const std::string& path) {
  const std::vector<std::string> inside = yaml_files_in(path);
  Diagnostics found;
  Diagnostic& diagnostic = found.error(
      "bad-file", {}, fmt::format("{} is a folder; a pipeline file was expected", quote(path, 500)));
  if (!inside.empty())
    diagnostic.suggest(fmt::format("for example {}", (std::filesystem::path(path) / inside[0]).string()));
  throw InvalidPipeline(std::move(found));
}

}  // namespace

PipelineSource read_pipeline(const std::string& path, std::vector<Override> overrides) {
  if (path == "-") {
    const std::string name = "<standard input>";
    return {SourceFile::typed(name, read_text(std::cin), name), std::move(overrides), {}};
  }
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (path.empty() || !std::filesystem::exists(status)) {
    const std::string folder = folder_of(path);
    const std::string near =
        did_you_mean(std::filesystem::path(path).filename().string(), yaml_files_in(folder));
    throw MissingResource(
        fmt::format("there is no file {}{}", quote(path, 500), near.empty() ? "" : "; " + near));
  }
  if (std::filesystem::is_directory(status)) report_folder(path);
  if (const std::string kind = not_a_plain_file(path); !kind.empty())
    throw RunError(fmt::format("{} is {}; a pipeline file was expected", quote(path, 500), kind));
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) throw RunError(fmt::format("{} cannot be read: {}", quote(path, 500), std::strerror(errno)));
  std::string text = read_text(file);
  if (file.bad())
    throw RunError(fmt::format("{} cannot be read: {}", quote(path, 500), std::strerror(errno)));
  return {std::make_shared<SourceFile>(path, std::move(text)), std::move(overrides), {}};
}

}  // namespace gramflow
