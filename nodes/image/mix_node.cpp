// Mix: pictures of one size as one, each with its share. For pictures to start from: a photo with noise, a photo
// with a finished picture of another look.
#include <fmt/format.h>

#include <numeric>

#include "framework/base/parallel.h"
#include "framework/graph/lower.h"
#include "framework/ops/host_function.h"
#include "nodes/image/image_nodes.h"
#include "nodes/image/picture_parameters.h"

namespace gramflow {
namespace {

struct MixParameters {
  std::vector<double> shares;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, MixParameters& parameters) {
  visitor("shares", parameters.shares,
          "how much of each picture, in their order: [3, 1] is three quarters of the first; default: of all "
          "as much",
          at_least(0.0));
}

/// Shares that add up to 1; empty after saying what is wrong.
std::vector<float> shares_of(LowerContext& context, std::size_t pictures) {
  std::vector<double> shares = context.parameters<MixParameters>().shares;
  if (shares.empty()) shares.assign(pictures, 1);
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (shares.size() != pictures || sum <= 0) {
    context.error("shares", "shares",
                  shares.size() != pictures
                      ? fmt::format("there are {} shares for {} pictures", shares.size(), pictures)
                      : std::string("the shares add up to 0; at least one has to be larger"));
    return {};
  }
  std::vector<float> result;
  for (const double share : shares) result.push_back(static_cast<float>(share / sum));
  return result;
}

void mix(const Bindings& memory, const std::vector<float>& shares) {
  const TensorView& to = memory.outputs[0];
  const std::int64_t row = to.shape().width * to.shape().channels;
  parallel_for(to.shape().height, [&](std::int64_t y, int) {
    float* out = to.f32() + y * row;
    for (std::int64_t i = 0; i < row; ++i) out[i] = 0;
    for (std::size_t k = 0; k < shares.size(); ++k) {
      const float* in = memory.inputs[k].f32() + y * row;
      for (std::int64_t i = 0; i < row; ++i) out[i] += shares[k] * in[i];
    }
  });
}

void lower_mix(LowerContext& context) {
  const std::vector<const PortValue*> pictures = context.inputs("images");
  const std::vector<float> shares = shares_of(context, pictures.size());
  if (shares.empty()) return;
  const TensorDesc desc = context.desc(pictures.front()->tensor);
  std::vector<TensorId> inputs;
  for (std::size_t k = 0; k < pictures.size(); ++k) {
    inputs.push_back(pictures[k]->tensor);
    const Shape& shape = context.desc(inputs.back()).shape;
    if (shape == desc.shape) continue;
    context
        .error("shapes", "images",
               fmt::format("Mix '{}': the pictures are of {}x{} and {}x{}", context.node().id(),
                           desc.shape.width, desc.shape.height, shape.width, shape.height))
        .suggest("bring '" + context.source("images", k)->id() +
                 "' to the other's size with a Resize 'like:' it");
    return;
  }
  HostFunction::Description description;
  description.kind = "Mix";
  description.outputs = {desc};
  description.run = [shares](const Bindings& memory) { mix(memory, shares); };
  PortValue value;
  value.tensor = context.emit(std::make_shared<HostFunction>(std::move(description)), inputs).front();
  context.set_output("", std::move(value));
}

}  // namespace

NodeType mix_node() {
  NodeType type;
  type.name = "Mix";
  type.theme = "image";
  type.summary = "Several pictures of one size as one: what to start from when neither alone will do.";
  type.formula = "sum over k of shares[k] / (sum of shares) * images[k]";
  type.inputs = {{"images", PortKind::picture, "the pictures", true, true}};
  type.outputs = {{"", PortKind::picture, "of their size"}};
  type.parameters = ParameterSchema::of<MixParameters>();
  type.lower = lower_mix;
  return type;
}

}  // namespace gramflow
