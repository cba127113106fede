#include "nodes/image/image_nodes.h"
#include "nodes/image/picture_parameters.h"

namespace gramflow {
namespace {

struct ResizeParameters {
  WantedSize size;
  ResizeFilter filter = ResizeFilter::triangle;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, ResizeParameters& parameters) {
  visitor("size", parameters.size, "longest side in pixels (the aspect is kept), or [width, height]",
          required());
  visitor("filter", parameters.filter, "how to resize");
}

}  // namespace

NodeType resize_node() {
  NodeType type;
  type.name = "Resize";
  type.theme = "image";
  type.summary = "Brings a picture to a size.";
  type.inputs = {{"image", PortKind::picture, "the picture to resize"}};
  type.outputs = {{"", PortKind::picture, "sRGB, of the new size"}};
  type.parameters = ParameterSchema::of<ResizeParameters>();
  type.lower = [](LowerContext& context) {
    const auto& parameters = context.parameters<ResizeParameters>();
    PortValue value;
    value.tensor = emit_resize(context, context.input("image")->tensor, parameters.size, parameters.filter);
    context.set_output("", std::move(value));
  };
  return type;
}

}  // namespace gramflow
