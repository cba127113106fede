#pragma once
// Losses that compare two sets of layers, as content and style loss do.
#include <map>
#include <string>
#include <vector>

#include "framework/graph/lower.h"

namespace gramflow {

struct LayerLossParameters {
  double weight = 1;
  std::vector<std::string> layers;
  std::map<std::string, double> layer_weights;
};

/// Asks both ports for the listed layers.
void demand_layer_pairs(DemandContext& context, const std::string& port);

/// weight * layer weight * mean((a - b)^2) for each layer; default: every layer that `target` has. Reports
/// layers that one of the two lacks.
void lower_layer_pairs(LowerContext& context, const LayerLossParameters& parameters, const std::string& port);

}  // namespace gramflow
