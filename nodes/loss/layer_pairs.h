#pragma once
// Losses that compare sets of layers, as content and style loss do.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "framework/graph/lower.h"

namespace gramflow {

struct LayerLossParameters {
  double weight = 1;
  std::vector<std::string> layers;
  std::map<std::string, double> layer_weights;
};

/// One layer that a loss compares.
struct LayerPair {
  std::string layer;
  LayerTensor value;
  std::vector<LayerTensor> targets;  ///< one a wire of `target`, in the order of the wires
  double weight = 1;                 ///< of the loss times that of the layer
};

/// Asks both ports for the listed layers.
void demand_layer_pairs(DemandContext& context, const std::string& port);

/// The listed layers of `port` and of every wire of `target`; default: every layer that the first target has.
/// Reports layers that one of them lacks.
std::vector<LayerPair> layer_pairs(LowerContext& context, const LayerLossParameters& parameters,
                                   const std::string& port);

/// False after reporting that a wire of `target` depends on the canvas, which `what` cannot make sense of.
bool target_stands_still(LowerContext& context, std::string_view what);

}  // namespace gramflow
