#include "nodes/image/image_nodes.h"
#include "nodes/image/picture_parameters.h"

namespace gramflow {
namespace {

struct ResizeParameters {
  WantedSize size;
  double factor = 1;
  bool exact = false;
  ResizeFilter filter = ResizeFilter::triangle;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, ResizeParameters& parameters) {
  visitor("size", parameters.size,
          "longest side in pixels (the aspect is kept), or [width, height]; default: that of 'like', or as "
          "it is");
  visitor("factor", parameters.factor, "what the size is multiplied by", more_than(0.0), at_most(1000.0));
  visitor("exact", parameters.exact, "true: width and height of 'like'; the aspect may change a little");
  visitor("filter", parameters.filter, "how to resize");
}

void lower_resize(LowerContext& context) {
  const auto& parameters = context.parameters<ResizeParameters>();
  const PortValue* like = context.input("like");
  if (like == nullptr && parameters.factor == 1 && context.node().value_of("size") == nullptr) {
    context
        .error("missing-parameter", "type",
               "this Resize changes nothing; 'size', 'factor' or 'like' was expected")
        .suggest("write 'size: 512' for the longest side");
    return;
  }
  const TensorId image = context.input("image")->tensor;
  WantedSize wanted = wanted_size(context, image, parameters.size, parameters.factor);
  if (parameters.exact) {
    if (like == nullptr || !(parameters.size == WantedSize{}) || parameters.factor != 1) {
      context.error("missing-input", "exact",
                    "'exact' is for a Resize that has 'like' and no size of its own");
      return;
    }
    const PictureSize size = picture_size(context.desc(like->tensor).shape);
    wanted = WantedSize::exactly(size.width, size.height);
  }
  PortValue value;
  value.tensor = emit_resize(context, image, wanted, parameters.filter);
  context.set_output("", std::move(value));
}

}  // namespace

NodeType resize_node() {
  NodeType type;
  type.name = "Resize";
  type.theme = "image";
  type.summary = "Brings a picture to a size.";
  type.inputs = {
      {"image", PortKind::picture, "the picture to resize"},
      {"like", PortKind::picture, "a picture whose longest side it takes when it has no 'size'", false}};
  type.outputs = {{"", PortKind::picture, "sRGB, of the new size"}};
  type.parameters = ParameterSchema::of<ResizeParameters>();
  type.lower = lower_resize;
  return type;
}

}  // namespace gramflow
