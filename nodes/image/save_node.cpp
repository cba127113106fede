#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "framework/base/error.h"
#include "framework/graph/unused_parameter.h"
#include "framework/ops/host_function.h"
#include "nodes/image/exif_block.h"
#include "nodes/image/image_nodes.h"
#include "nodes/image/picture_io.h"
#include "nodes/image/picture_parameters.h"
#include "nodes/image/picture_reader.h"

namespace gramflow {
namespace {

enum class ProfileChoice { srgb, keep };
inline auto enum_names(ProfileChoice) {
  return std::vector<std::pair<std::string, ProfileChoice>>{{"srgb", ProfileChoice::srgb},
                                                            {"keep", ProfileChoice::keep}};
}
enum class MetadataChoice { provenance, keep, none };
inline auto enum_names(MetadataChoice) {
  return std::vector<std::pair<std::string, MetadataChoice>>{{"provenance", MetadataChoice::provenance},
                                                             {"keep", MetadataChoice::keep},
                                                             {"none", MetadataChoice::none}};
}

struct SaveParameters {
  std::string path;
  std::int64_t every = 0;
  int quality = 95;
  int bits = 0;
  ProfileChoice profile = ProfileChoice::srgb;
  MetadataChoice metadata = MetadataChoice::provenance;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, SaveParameters& parameters) {
  visitor("path", parameters.path,
          "file to write; the ending says the format; relative to the current folder; {iteration} and "
          "{stage} stand for numbers",
          required(), not_empty(), writes_file());
  visitor("every", parameters.every, "also write after every so many iterations; 0: only at the end",
          at_least(0));
  visitor("quality", parameters.quality, "of JPEG and WebP", at_least(1), at_most(100));
  visitor("bits", parameters.bits, "per sample: 8 or 16, for EXR 16 or 32; 0: what is usual for the format",
          at_least(0), at_most(32));
  visitor("profile", parameters.profile,
          "colours of the file: srgb, or keep: those of the source's colour profile, which is embedded");
  visitor(
      "metadata", parameters.metadata,
      "what the file says beside its pixels: provenance (gramflow and the pipeline), keep (also the source's "
      "camera, lens and date, without place, serial numbers and owner), or none");
}

std::string replace_all(std::string text, std::string_view what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

std::string file_name(const std::string& pattern, const RunState& state) {
  return replace_all(replace_all(pattern, "{iteration}", fmt::format("{:05}", state.iteration)), "{stage}",
                     std::to_string(state.stage + 1));
}

/// Of samples that the file cuts off, or nearly does: at or beyond black or white.
double clipped_share(std::span<const float> samples) {
  const auto clipped =
      std::count_if(samples.begin(), samples.end(), [](float v) { return v <= 0 || v >= 1; });
  return samples.empty() ? 0 : static_cast<double>(clipped) / static_cast<double>(samples.size());
}

/// What is wrong with the placeholders of a path; "" for nothing.
std::string pattern_problem(const std::string& pattern) {
  for (std::size_t open = pattern.find('{'); open != std::string::npos; open = pattern.find('{', open + 1)) {
    const std::size_t close = pattern.find('}', open);
    if (close == std::string::npos) return "its '{' has no '}'; known are {iteration} and {stage}";
    const std::string name = pattern.substr(open, close + 1 - open);
    if (name != "{iteration}" && name != "{stage}")
      return "there is no placeholder " + name + "; known are {iteration} and {stage}";
  }
  return "";
}

void warn_of_unused(LowerContext& context, const SaveParameters& parameters) {
  std::string ending = std::filesystem::path(parameters.path).extension().string();
  for (char& letter : ending)
    letter = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  if (ending != ".jpg" && ending != ".jpeg" && ending != ".webp")
    warn_unused_parameter(context, "quality", "path", "'quality' has no effect on '" + ending + "'");
}

/// What the source gives to the written file; reports what cannot be done.
void take_from_source(LowerContext& context, const SaveParameters& parameters, PictureReader& reader,
                      WriteOptions& options) {
  const bool keeps = parameters.profile == ProfileChoice::keep || parameters.metadata == MetadataChoice::keep;
  const PortValue* source = context.input("source");
  if (!keeps) return;
  const std::string key = parameters.profile == ProfileChoice::keep ? "profile" : "metadata";
  if (source == nullptr) {
    context.error(
        "no-source", key,
        "'" + key + ": keep' does not say whose; expected 'source:' with the node that loads the picture");
    return;
  }
  if (source->file.empty()) {
    context.error("no-source", "source",
                  "the source of a Save is a node that loads a picture; expected a Load");
    return;
  }
  const PictureInfo info = reader.info(source->file);
  if (parameters.profile == ProfileChoice::keep && !info.profile.empty()) {
    const std::string problem = profile_problem(parameters.path, info.profile);
    if (!problem.empty()) context.error("unkept-profile", "profile", source->file + ": " + problem);
    options.profile = info.profile;
  }
  if (parameters.metadata == MetadataChoice::keep) {
    const std::string left_out = metadata_left_out(parameters.path);
    if (!left_out.empty())
      context.diagnostics().warning("unkept-metadata", context.node().span_of("metadata"), left_out);
    options.exif = kept_exif(info.exif, options.software, options.profile.empty());
    options.xmp = kept_xmp(info.xmp);
  }
}

/// A folder for what cannot be written where it should be.
std::string fallback_folder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

/// What was computed for hours is not lost to a full disk: it is tried once more, and then written elsewhere.
void save_picture(const MadePicture& picture, std::span<const float> rgb, PictureSize size,
                  const WriteOptions& options, const RunState& state) {
  constexpr std::chrono::milliseconds pause(500);
  const bool final = !picture.preview && state.unsaved;
  for (int attempt = 0;; ++attempt) {
    try {
      write_picture(picture.path, rgb, size, options);
      break;
    } catch (const RunError& problem) {
      if (!final) throw;
      if (attempt == 0) {
        std::this_thread::sleep_for(pause);
        continue;
      }
      std::string instead =
          (std::filesystem::path(fallback_folder()) /
           fmt::format("gramflow-{}-{}", ::getpid(), std::filesystem::path(picture.path).filename().string()))
              .string();
      try {
        write_picture(instead, rgb, size, options);
      } catch (const RunError&) {
        instead.clear();
      }
      state.unsaved(picture, problem.what(), instead);
      return;
    }
  }
  if (state.saved) state.saved(picture);
}

void lower_save(LowerContext& context, PictureReader& reader) {
  const auto& parameters = context.parameters<SaveParameters>();
  WriteOptions options;
  options.quality = parameters.quality;
  options.bits = parameters.bits;
  if (parameters.metadata != MetadataChoice::none) options.software = "gramflow";
  std::string problem = pattern_problem(parameters.path);
  if (problem.empty()) problem = writing_problem(parameters.path, options);
  const PictureSize size = picture_size(context.desc(context.input("image")->tensor).shape);
  if (problem.empty()) problem = size_problem(parameters.path, size, options);
  if (problem.empty()) problem = place_problem(parameters.path);
  if (!problem.empty()) {
    context.error("unwritable", "path", "'" + parameters.path + "' cannot be written: " + problem);
    return;
  }
  warn_of_unused(context, parameters);
  take_from_source(context, parameters, reader, options);
  context.uses_file("path", parameters.path, true, "picture",
                    parameters.path.find("{iteration}") != std::string::npos);
  load_picture_libraries();
  HostFunction::Description description;
  description.kind = "Save";
  description.attributes = parameters.path;
  description.has_effect = true;
  description.transient_bytes = writing_bytes(parameters.path, size);
  description.preflight = [path = parameters.path, options, state = context.run_state()] {
    check_writable(file_name(path, *state), options);
  };
  description.run = [path = parameters.path, options, size, node = context.node().id(),
                     says = parameters.metadata != MetadataChoice::none,
                     state = context.run_state()](const Bindings& memory) {
    const std::span<const float> samples = memory.inputs[0].floats();
    const MadePicture picture{node,           file_name(path, *state), state->stage,           state->done,
                              state->preview, state->interrupted,      clipped_share(samples), state->loss};
    WriteOptions now = options;
    if (says && state->provenance) now.description = state->provenance(picture);
    save_picture(picture, samples, size, now, *state);
  };
  context.emit(std::make_shared<HostFunction>(std::move(description)), {context.input("image")->tensor});
  if (parameters.every > 0) context.run_every(parameters.every);
}

}  // namespace

NodeType save_node(std::shared_ptr<PictureReader> reader) {
  NodeType type;
  type.name = "Save";
  type.theme = "image";
  type.summary = "Writes a picture file, whole or not at all; makes missing folders.";
  type.inputs = {{"image", PortKind::picture, "the picture to write"},
                 {"source", PortKind::picture, "the Load whose colour profile or metadata is kept", false}};
  type.parameters = ParameterSchema::of<SaveParameters>();
  type.sink = true;
  type.lower = [reader = std::move(reader)](LowerContext& context) { lower_save(context, *reader); };
  return type;
}

}  // namespace gramflow
