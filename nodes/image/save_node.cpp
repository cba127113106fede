#include <fmt/format.h>

#include <filesystem>

#include "framework/graph/unused_parameter.h"
#include "framework/ops/host_function.h"
#include "nodes/image/image_nodes.h"
#include "nodes/image/picture_io.h"
#include "nodes/image/picture_parameters.h"

namespace gramflow {
namespace {

struct SaveParameters {
  std::string path;
  std::int64_t every = 0;
  int quality = 95;
  int bits = 0;
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

void lower_save(LowerContext& context) {
  const auto& parameters = context.parameters<SaveParameters>();
  WriteOptions options;
  options.quality = parameters.quality;
  options.bits = parameters.bits;
  options.software = "gramflow";
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
  context.uses_file("path", parameters.path, true);
  load_picture_libraries();
  HostFunction::Description description;
  description.kind = "Save";
  description.attributes = parameters.path;
  description.has_effect = true;
  description.transient_bytes = size.floats() * sizeof(float);
  description.preflight = [path = parameters.path, options, state = context.run_state()] {
    check_writable(file_name(path, *state), options);
  };
  description.run = [path = parameters.path, options, size,
                     state = context.run_state()](const Bindings& memory) {
    WriteOptions now = options;
    now.description = state->description;
    const std::string name = file_name(path, *state);
    write_picture(name, memory.inputs[0].floats(), size, now);
    if (state->saved) state->saved(name);
  };
  context.emit(std::make_shared<HostFunction>(std::move(description)), {context.input("image")->tensor});
  if (parameters.every > 0) context.run_every(parameters.every);
}

}  // namespace

NodeType save_node() {
  NodeType type;
  type.name = "Save";
  type.theme = "image";
  type.summary = "Writes a picture file, whole or not at all; makes missing folders.";
  type.inputs = {{"image", PortKind::picture, "the picture to write"}};
  type.parameters = ParameterSchema::of<SaveParameters>();
  type.sink = true;
  type.lower = lower_save;
  return type;
}

}  // namespace gramflow
