#include "framework/ops/host_function.h"
#include "nodes/image/image_nodes.h"
#include "nodes/image/picture_io.h"
#include "nodes/image/picture_parameters.h"
#include "nodes/image/picture_reader.h"

namespace gramflow {
namespace {

struct LoadParameters {
  std::string path;
  WantedSize size;
  double factor = 1;
  ResizeFilter filter = ResizeFilter::triangle;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, LoadParameters& parameters) {
  visitor(
      "path", parameters.path,
      "picture file; a relative path starts at the file it is written in, or typed at a shell at the current "
      "folder",
      required(), not_empty(), reads_file());
  visitor("size", parameters.size,
          "longest side in pixels (the aspect is kept), or [width, height]; default: that of 'like', or as "
          "it is");
  visitor("factor", parameters.factor, "what the size is multiplied by", more_than(0.0), at_most(1000.0));
  visitor("filter", parameters.filter, "how to resize");
}

void lower_load(LowerContext& context, const std::shared_ptr<PictureReader>& reader) {
  const auto& parameters = context.parameters<LoadParameters>();
  const std::string path = find_input(context, "path", parameters.path);
  const PictureInfo info = reader->info(path);
  context.uses_file("path", path, false);
  for (const std::string& note : info.notes)
    context.diagnostics().warning("picture-note", context.node().span_of("path"), path + ": " + note);
  HostFunction::Description description;
  description.kind = "Load";
  description.attributes = path;
  description.outputs = {{info.size().shape(), ElementType::f32}};
  description.transient_bytes = reading_bytes(info);
  description.run = [path, reader, size = info.size()](const Bindings& memory) {
    reader->read(path, memory.outputs[0].floats(), size);
  };
  description.trial = [path, reader] { reader->try_out(path); };
  const TensorId picture = context.emit(std::make_shared<HostFunction>(std::move(description)), {}).front();
  const WantedSize size = wanted_size(context, picture, parameters.size, parameters.factor);
  PortValue value;
  value.file = path;
  value.tensor = emit_resize(context, picture, size, parameters.filter);
  context.set_output("", std::move(value));
}

}  // namespace

NodeType load_node(std::shared_ptr<PictureReader> reader) {
  NodeType type;
  type.name = "Load";
  type.theme = "image";
  type.summary = "Reads a picture file and, if asked, brings it to a size.";
  type.inputs = {
      {"like", PortKind::picture, "a picture whose longest side it takes when it has no 'size'", false}};
  type.outputs = {{"", PortKind::picture, "sRGB"}};
  type.parameters = ParameterSchema::of<LoadParameters>();
  type.lower = [reader = std::move(reader)](LowerContext& context) { lower_load(context, reader); };
  return type;
}

}  // namespace gramflow
