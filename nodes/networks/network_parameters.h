#pragma once
// The keys of a network's YAML, declared like the parameters of nodes. Only network_file.cpp includes this.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/schema/parameters.h"
#include "nodes/networks/network.h"

namespace gramflow {

inline auto enum_names(ChannelOrder) {
  return std::vector<std::pair<std::string, ChannelOrder>>{{"rgb", ChannelOrder::rgb},
                                                           {"bgr", ChannelOrder::bgr}};
}
inline auto enum_names(Border) {
  return std::vector<std::pair<std::string, Border>>{
      {"zero", Border::zero}, {"reflect", Border::reflect}, {"replicate", Border::replicate}};
}
inline auto enum_names(PoolKind) {
  return std::vector<std::pair<std::string, PoolKind>>{{"max", PoolKind::max},
                                                       {"average", PoolKind::average}};
}

/// `bias:` of a layer: a tensor's name, or none.
struct BiasName {
  std::string tensor;
  bool none = false;
};
template <>
struct ParameterType<BiasName> {
  static void describe(Field& field) { ParameterType<std::string>::describe(field); }
  static bool decode(const Value& value, BiasName& bias, const DecodeContext& context) {
    if (!ParameterType<std::string>::decode(value, bias.tensor, context)) return false;
    bias.none = bias.tensor == "none" && value.scalar() != nullptr && !value.scalar()->quoted;
    return true;
  }
  static std::string text(const BiasName& bias) { return bias.tensor; }
};

struct InputParameters {
  ChannelOrder order = ChannelOrder::rgb;
  double scale = 1;
  std::vector<double> mean;
  std::vector<double> std;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, InputParameters& parameters) {
  visitor("order", parameters.order, "order of the channels");
  visitor("scale", parameters.scale, "what a picture's values of 0 to 1 are multiplied by", more_than(0.0));
  visitor("mean", parameters.mean, "subtracted then; red, green, blue", required());
  visitor("std", parameters.std, "divided by at last; red, green, blue");
}

struct DownloadParameters {
  std::string url;
  std::string md5;
  std::string sha256_prefix;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, DownloadParameters& parameters) {
  visitor("url", parameters.url, "address", required(), not_empty());
  visitor("md5", parameters.md5, "checksum of the file, in hexadecimal");
  visitor("sha256_prefix", parameters.sha256_prefix, "first digits of the file's SHA-256, in hexadecimal");
}

struct WeightsParameters {
  std::string file;
  std::string network;
  std::optional<InputParameters> input;
  std::vector<std::string> ignore;
  std::vector<DownloadParameters> downloads;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, WeightsParameters& parameters) {
  visitor("file", parameters.file, "safetensors file, looked for beside this file and in the weight folders",
          required(), not_empty());
  visitor("network", parameters.network, "whose weights these are, if they were made for another network");
  visitor("input", parameters.input, "what they were trained with, if that is not the network's input");
  visitor("ignore", parameters.ignore,
          "beginnings of names of tensors that change none of these layers, though they look as if they did");
  visitor("downloads", parameters.downloads, "where the weights can be had, best first");
}

struct LayerParameters {
  std::optional<std::string> conv;
  std::optional<std::string> pool;
  std::optional<int> in;
  std::optional<int> out;
  int kernel = 3;
  std::optional<int> padding;
  bool relu = true;
  std::string weight;
  BiasName bias;
  std::string norm;
  std::optional<double> epsilon;
  std::optional<double> gain;
  PoolKind kind = PoolKind::max;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, LayerParameters& parameters) {
  visitor("conv", parameters.conv, "name of a convolution", not_empty());
  visitor("pool", parameters.pool, "name of a 2x2 pooling", not_empty());
  visitor("in", parameters.in, "channels coming in", at_least(1), at_most(65536));
  visitor("out", parameters.out, "channels going out", at_least(1), at_most(65536));
  visitor("kernel", parameters.kernel, "side of the filter, odd", at_least(1), at_most(31));
  visitor("padding", parameters.padding, "on each side; default: half of the kernel", at_least(0),
          at_most(30));
  visitor("relu", parameters.relu, "a ReLU follows");
  visitor("weight", parameters.weight, "its tensor in the weights file; default: NAME.weight");
  visitor("bias", parameters.bias, "its tensor in the weights file, or none; default: NAME.bias");
  visitor("norm", parameters.norm,
          "what the names of a batch norm between it and its ReLU begin with, for import; or none");
  visitor("epsilon", parameters.epsilon, "what the batch norm adds to the variance", at_least(0.0),
          at_most(1.0));
  visitor("gain", parameters.gain,
          "its outputs are made this many times as large; later layers stay as they are", more_than(0.0));
  visitor("kind", parameters.kind, "of pooling");
}

/// Without `layers`: each is decoded on its own, so that a mistake in one hides none in the others.
struct NetworkParameters {
  std::string name;
  std::string summary;
  InputParameters input;
  Border padding = Border::zero;
  std::string layout;
  WeightsParameters weights;
};

template <class Visitor>
void visit_parameters(Visitor& visitor, NetworkParameters& parameters) {
  visitor("name", parameters.name, "what pipelines call it", required(), not_empty());
  visitor("summary", parameters.summary, "one sentence");
  visitor("input", parameters.input, "what its input numbers are", required());
  visitor("padding", parameters.padding, "what lies outside of a convolution's input");
  visitor("layout", parameters.layout,
          "in what order kernels lie in a file to import that does not say: oihw, hwio, oihw-turned, ...");
  visitor("weights", parameters.weights, "where its numbers are", required());
}

}  // namespace gramflow
