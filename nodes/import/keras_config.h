#pragma once
// What a whole Keras model says of its layers, beside their weights: the JSON in the attribute model_config
// of .h5 files and in config.json of .keras files.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nodes/import/tensor_source.h"

namespace gramflow {

class KerasConfig {
 public:
  KerasConfig() = default;  ///< says nothing
  /// Says nothing for a text that is no model. Never throws.
  explicit KerasConfig(const std::string& json);

  bool empty() const { return layers_.empty(); }
  /// Keras 1's dim_ordering: "th", "tf"; "" when it is not said.
  const std::string& dim_ordering() const { return dim_ordering_; }
  /// Of the layer whose weights lie in a group of this name. Norms are named like that, too.
  LayerFacts facts(const std::string& group) const;
  std::optional<double> epsilon(const std::string& group) const;
  /// Keras 3 may call groups by kind and count (conv2d, conv2d_1) instead of the layers' names: from then on
  /// groups are such when these are all there are.
  void use_groups(const std::vector<std::string>& groups);

 private:
  struct Layer {
    std::string name;
    std::string kind;
    std::string group;
    std::string activation;
    std::string padding;
    bool bias = true;
    bool plain = true;  ///< stride, dilation and groups of 1
    int kernel = 3;
    std::optional<int> zero_padding;
    std::optional<double> epsilon;
    std::vector<std::string> inputs;
  };
  friend class KerasConfigReader;
  const Layer* find(const std::string& group) const;
  const Layer* only_consumer(const Layer& layer) const;

  std::vector<Layer> layers_;
  std::string dim_ordering_;
};

}  // namespace gramflow
