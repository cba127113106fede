#include "pipelines/run/provenance.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "framework/base/error.h"
#include "framework/base/replaced_file.h"
#include "framework/base/text.h"
#include "nodes/image/picture_reader.h"
#include "pipelines/run/picture_pipeline.h"

namespace gramflow {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t longest_in_picture = 40'000;  // of a JPEG's comment, and of what the reader hands on

bool is_marked(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string start(provenance_mark.size(), '\0');
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  return static_cast<std::size_t>(file.gcount()) == start.size() && start == provenance_mark;
}

std::string relative_to(const std::string& file, const fs::path& folder) {
  std::error_code failed;
  const fs::path plain = fs::weakly_canonical(file, failed);
  const fs::path relative = failed ? fs::path() : plain.lexically_relative(folder);
  return relative.empty() ? plain.filename().string() : relative.string();
}

}  // namespace

Provenance::Provenance(const CanonicalPipeline& canonical, const NodeTypes& types,
                       std::vector<CheckpointSource> sources, std::string program,
                       std::vector<std::map<std::string, std::int64_t>> iterations)
    : canonical_(canonical),
      types_(types),
      sources_(std::move(sources)),
      program_(std::move(program)),
      iterations_(std::move(iterations)) {}

std::string Provenance::text(const MadePicture& picture) const {
  if (canonical_.root() == nullptr) return "";
  const ValuePtr tree = picture_pipeline(*canonical_.root(), types_, picture);
  const std::string pipeline = canonical_.beside(picture.path, tree);
  std::string text(provenance_mark);
  const auto line = [&](const std::string& words) { text += "# " + one_line(words) + "\n"; };
  line("made by " + program_);
  if (iterations_.size() > 1) line(fmt::format("stage {} of {}", picture.stage + 1, iterations_.size()));
  const auto stage = static_cast<std::size_t>(picture.stage);
  for (const auto& [node, done] : picture.done) {
    const auto asked = stage < iterations_.size() ? iterations_[stage].find(node) : iterations_[0].end();
    const bool known = stage < iterations_.size() && asked != iterations_[stage].end();
    line(known ? fmt::format("'{}': {} of {} iterations", node, done, asked->second)
               : fmt::format("'{}': {} iterations", node, done));
  }
  if (!picture.loss.empty())
    line(fmt::format("{}; {:.2g} % of the samples are black or white", picture.loss, 100 * picture.clipped));
  if (picture.interrupted) line("the run was interrupted");
  if (picture.preview) line("a preview");
  std::error_code failed;
  const fs::path folder = fs::weakly_canonical(fs::absolute(picture.path, failed).parent_path(), failed);
  // Where networks are installed, and what the environment names, is nobody's business.
  for (const CheckpointSource& source : sources_) {
    const std::string name = relative_to(source.path, folder);
    const bool told = pipeline.find(name) != std::string::npos;
    line(fmt::format("read {} {} xxh128 {}", source.what, told ? name : fs::path(name).filename().string(),
                     source.checksum));
  }
  text += pipeline;
  return text;
}

std::string Provenance::text_within(const MadePicture& picture) const {
  std::string whole = text(picture);
  if (whole.size() <= longest_in_picture) return whole;
  const std::size_t comments = whole.find("\nversion:");
  whole.resize(std::min(comments == std::string::npos ? whole.size() : comments + 1, longest_in_picture));
  return whole + "# the pipeline is too long to stand here; it is in " +
         one_line(fs::path(sidecar_of(picture.path)).filename().string()) + "\n";
}

std::string sidecar_of(const std::string& picture) { return picture + ".gramflow.yaml"; }

std::string write_sidecar(const std::string& picture, const std::string& text) {
  const std::string path = sidecar_of(picture);
  std::error_code failed;
  if (fs::exists(fs::symlink_status(path, failed)) && !is_marked(path))
    return path + ": there is a file of that name that gramflow did not write; it is left as it is";
  try {
    replace_file(path, text);
  } catch (const RunError& problem) {
    return problem.what();
  }
  return "";
}

std::string provenance_of(const std::string& picture) {
  PictureReader reader;
  const PictureInfo info = reader.info(picture);
  if (info.description.starts_with(provenance_mark)) return info.description;
  const std::string path = sidecar_of(picture);
  if (!is_marked(path)) return "";
  std::ifstream file(path, std::ios::binary);
  std::string text(longest_in_picture * 10, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

}  // namespace gramflow
