#include <optional>

#include "framework/ops/counter_random.h"
#include "framework/ops/neighbor_loss.h"
#include "nodes/loss/layer_pairs.h"
#include "nodes/loss/loss_nodes.h"

namespace gramflow {
namespace {

struct NeighborLossParameters : LayerLossParameters {
  NeighborLossParameters() { weight = 4; }
  std::int64_t grid = 32;
  std::int64_t rematch = 1;
  std::optional<bool> resample;
  std::uint64_t seed = 0;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, NeighborLossParameters& parameters) {
  visitor("weight", parameters.weight, "factor of the whole loss; without units, the same for any network");
  visitor("layers", parameters.layers, "layers to compare; default: all that 'target' has");
  visitor("layer_weights", parameters.layer_weights,
          "factor of single layers, by name; 1 for those not named");
  visitor("grid", parameters.grid,
          "positions sampled along the longest side of each map: from 'grid' to twice as many; bounds work "
          "and memory for any size of picture",
          at_least(1), at_most(4096));
  visitor("rematch", parameters.rematch,
          "iterations between two drawings of the sampled positions; at the positions matches follow the "
          "canvas in every iteration",
          at_least(1));
  visitor("resample", parameters.resample,
          "whether the sampled positions change from iteration to iteration; default: with adam they do, "
          "with lbfgs, "
          "which compares losses of different iterations, they stand still");
  visitor("seed", parameters.seed, "of the sampled positions");
}

void lower_neighbor_loss(LowerContext& context) {
  const auto& parameters = context.parameters<NeighborLossParameters>();
  if (!target_stands_still(context, "a search for neighbours")) return;
  for (const LayerPair& pair : layer_pairs(context, parameters, "features")) {
    NeighborSampling sampling;
    sampling.grid = parameters.grid;
    sampling.seed = parameters.seed;
    sampling.layer = name_counter(pair.layer);
    sampling.every = parameters.rematch;
    if (parameters.resample.value_or(true))
      sampling.iteration = [state = context.run_state(), always = parameters.resample.has_value()] {
        return state->stands_still && !always ? 0 : state->iteration;
      };
    std::vector<TensorId> inputs = {pair.value.tensor};
    for (const LayerTensor& target : pair.targets) inputs.push_back(target.tensor);
    context.add_loss(
        context.emit(std::make_shared<NeighborLoss>(pair.weight, std::move(sampling)), inputs, pair.layer)
            .front(),
        pair.layer);
  }
}

}  // namespace

NodeType neighbor_loss_node() {
  NodeType type;
  type.name = "NeighborLoss";
  type.theme = "loss";
  type.summary =
      "How far each feature is from the most alike one in the style: forbids what stands nowhere in it. Goes "
      "beside StyleLoss, which asks for the right mixture.";
  type.formula =
      "weight * sum over layers of layer_weight * (1 - mean over positions i of max_j cos(X_i - mean X, Y_j "
      "- "
      "mean Y)); X: features of the canvas, Y: of all targets, at every d-th position from a random offset, "
      "d "
      "= max(1, longest side / grid)";
  type.inputs = {{"features", PortKind::features, "of the canvas"},
                 {"target", PortKind::features,
                  "of the style; a list is one large style: several pictures, or one and "
                  "its rotated copies",
                  true, true}};
  type.outputs = {{"", PortKind::loss, "for an optimiser"}};
  type.parameters = ParameterSchema::of<NeighborLossParameters>();
  type.demand = [](DemandContext& context) { demand_layer_pairs(context, "features"); };
  type.lower = lower_neighbor_loss;
  return type;
}

}  // namespace gramflow
