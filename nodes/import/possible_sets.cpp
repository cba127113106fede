// A set is where a network's first convolution is: under the name that the network's file gives, or under the
// names that programs give, each with whatever stands before it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "nodes/import/tensor_naming.h"

namespace gramflow {
namespace {

bool is_convolution(const NetworkLayer& layer) { return layer.kind == NetworkLayer::Kind::convolution; }

}  // namespace

std::string keras_layer(const std::string& name) {
  int block = 0;
  int number = 0;
  char rest = 0;
  if (std::sscanf(name.c_str(), "conv%d_%d%c", &block, &number, &rest) != 2) return "";
  return fmt::format("block{}_conv{}", block, number);
}

std::vector<TensorSet> possible_sets(const Network& network, const TensorSource& source,
                                     const TensorNames& names) {
  const auto first = std::find_if(network.layers.begin(), network.layers.end(), is_convolution);
  if (first == network.layers.end()) return {};
  std::vector<TensorSet> sets;
  const auto add = [&](Naming naming, const std::set<std::string>& prefixes) {
    for (const std::string& prefix : prefixes) sets.push_back({naming, prefix});
  };
  bool all_given = true;
  const NetworkLayer* given = nullptr;
  for (const NetworkLayer& layer : network.layers) {
    if (!is_convolution(layer)) continue;
    all_given = all_given && layer.weight_given;
    if (layer.weight_given && given == nullptr) given = &layer;
  }
  if (given != nullptr) {
    const std::string& name = given->weight_tensor;
    if (names.find(name) != TensorNames::npos || !names.parts(clean_name(name)).empty()) {
      sets.push_back({Naming::own, ""});
    } else {
      std::set<std::string> prefixes = names.prefixes_of(clean_name(name));
      prefixes.merge(names.prefixes_of_module(clean_name(name)));
      add(Naming::own, prefixes);
    }
    if (all_given || first->weight_given) {
      if (sets.empty()) sets.push_back({Naming::own, ""});
      if (all_given) return sets;
    }
  }
  add(Naming::own, names.prefixes_of_module(first->name));
  if (const std::string keras = keras_layer(first->name); !keras.empty())
    add(Naming::keras, names.prefixes_of_module(keras));
  std::set<std::string> counted = names.prefixes_of_module("conv2d");
  std::erase_if(counted, [](const std::string& prefix) { return !prefix.ends_with("layers/"); });
  add(Naming::counted, counted);
  add(Naming::torchvision, names.prefixes_of_module("features.0"));
  if (given == nullptr && !source.chain().empty()) sets.push_back({Naming::chain, ""});
  return sets;
}

}  // namespace gramflow
