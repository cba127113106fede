// What a network file can express is little: convolutions of stride 1 with odd kernels, ReLU, 2x2 pools. One
// text says so for every key that asks for more.
#include "nodes/networks/network_advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gramflow {
namespace {

constexpr std::string_view limits =
    "a network file knows convolutions of stride 1 with odd kernels, ReLU, and 2x2 pools of stride 2: the "
    "VGGs "
    "(11, 13, 16, 19, with or without batch norms) and networks cut or distilled from them";

bool is_one_of(const Value& value, std::initializer_list<std::string_view> texts) {
  const Value::Scalar* scalar = value.scalar();
  return scalar != nullptr && !scalar->quoted &&
         std::find(texts.begin(), texts.end(), scalar->text) != texts.end();
}

/// What `key: value` of a layer should be instead; reported where it stands. True when it was such a habit.
bool advise_on_key(const Entry& entry, Diagnostics& diagnostics) {
  const Value& value = *entry.value;
  const auto error = [&](const std::string& message) -> Diagnostic& {
    return diagnostics.error("bad-layer", entry.key_span, message);
  };
  const std::string& key = entry.key;
  if (key == "bias" && is_one_of(value, {"false", "False", "no", "off"})) {
    error("'bias' takes the name of a tensor, or none")
        .suggest("bias: none says that the convolution has no bias");
    return true;
  }
  if (key == "bias" && is_one_of(value, {"true", "True", "yes", "on"})) {
    error("'bias' takes the name of a tensor, or none").suggest("leave 'bias' out: the default is NAME.bias");
    return true;
  }
  if (key == "norm" && is_one_of(value, {"true", "True", "yes", "on"})) {
    error("'norm' takes what the names of the batch norm's tensors begin with")
        .suggest("norm: bn1 for tensors bn1.weight, bn1.bias, bn1.running_mean and bn1.running_var");
    return true;
  }
  if (key == "norm" && is_one_of(value, {"false", "False", "no", "off"})) {
    error("'norm' takes what the names of the batch norm's tensors begin with, or none")
        .suggest("norm: none");
    return true;
  }
  if (key == "kind" && is_one_of(value, {"avg", "mean", "ave", "avgpool", "AVE", "AVG", "Average"})) {
    error("a pool is of kind max or average").suggest("kind: average");
    return true;
  }
  if (key == "kind" && is_one_of(value, {"maxpool", "maximum", "MAX", "Max"})) {
    error("a pool is of kind max or average").suggest("kind: max");
    return true;
  }
  const bool one = is_one_of(value, {"1"});
  if (key == "stride" || key == "strides" || key == "dilation" || key == "groups") {
    error(fmt::format("a layer has no '{}'; {}", key, limits))
        .suggest(one ? fmt::format("leave '{}' out: 1 is all there is", key)
                 : key == "stride" && is_one_of(value, {"2"})
                     ? "leave it out at a 2x2 pool, whose stride is 2; another stride cannot be expressed"
                     : "such a layer cannot be expressed");
    return true;
  }
  if (key == "size" || key == "pool_size" || key == "kernel_size") {
    error(fmt::format("a layer has no '{}'; {}", key, limits))
        .suggest(key == "kernel_size" ? "kernel: 3" : "leave it out: pools are 2x2");
    return true;
  }
  if (key == "slope" || key == "negative_slope" || key == "alpha" || key == "activation" ||
      key == "leaky_relu" || key == "leaky" || key == "act") {
    error(fmt::format("a layer has no '{}'; {}", key, limits))
        .suggest(is_one_of(value, {"relu", "ReLU"}) ? "leave it out: a ReLU follows unless relu: false"
                 : is_one_of(value, {"none", "linear", "identity"})
                     ? "relu: false"
                     : "a network with another activation cannot be expressed");
    return true;
  }
  if (key == "relu" &&
      (is_one_of(value, {"leaky", "prelu", "elu", "leaky_relu"}) || value.map() != nullptr)) {
    error(fmt::format("'relu' takes true or false; {}", limits))
        .suggest("a network with another activation cannot be expressed");
    return true;
  }
  if (key == "batch_norm" || key == "bn" || key == "batchnorm" || key == "normalization") {
    error(fmt::format("a layer has no '{}'", key))
        .suggest("norm: PREFIX names the batch norm's tensors; import folds it into the convolution");
    return true;
  }
  return false;
}

/// `mean: 0.5` and `std: 0.5` as three numbers, so that one answer is enough.
ValuePtr advise_on_input(const ValuePtr& input, const std::string& name, Diagnostics& diagnostics) {
  if (input->map() == nullptr) return input;
  auto copy = std::make_shared<Value>(*input);
  for (Entry& entry : std::get<Value::Map>(copy->data)) {
    if (entry.key != "mean" && entry.key != "std") continue;
    const Value::Scalar* scalar = entry.value->scalar();
    double number = 0;
    if (scalar == nullptr || scalar->quoted || !parse_number(scalar->text, number)) continue;
    diagnostics
        .error("wrong-type", entry.value->span,
               fmt::format("'{}.{}' takes three numbers (red, green, blue), found one", name, entry.key))
        .suggest(fmt::format("{}: [{}, {}, {}]", entry.key, scalar->text, scalar->text, scalar->text));
    auto list = std::make_shared<Value>(*entry.value);
    list->data = Value::List(3, entry.value);
    entry.value = list;
  }
  return copy;
}

ValuePtr advise_on_layer(const ValuePtr& layer, Diagnostics& diagnostics) {
  if (layer->map() == nullptr) return layer;
  auto copy = std::make_shared<Value>(*layer);
  auto& entries = std::get<Value::Map>(copy->data);
  entries.erase(std::remove_if(entries.begin(), entries.end(),
                               [&](const Entry& entry) { return advise_on_key(entry, diagnostics); }),
                entries.end());
  return copy;
}

}  // namespace

ValuePtr advise_on_network(const ValuePtr& root, Diagnostics& diagnostics) {
  auto copy = std::make_shared<Value>(*root);
  for (Entry& entry : std::get<Value::Map>(copy->data)) {
    if (entry.key == "input") entry.value = advise_on_input(entry.value, "input", diagnostics);
    if (entry.key == "weights" && entry.value->map() != nullptr) {
      auto weights = std::make_shared<Value>(*entry.value);
      for (Entry& inner : std::get<Value::Map>(weights->data))
        if (inner.key == "input") inner.value = advise_on_input(inner.value, "weights.input", diagnostics);
      entry.value = weights;
    }
    if (entry.key == "layers" && entry.value->list() != nullptr) {
      auto layers = std::make_shared<Value>(*entry.value);
      for (ValuePtr& layer : std::get<Value::List>(layers->data)) layer = advise_on_layer(layer, diagnostics);
      entry.value = layers;
    }
  }
  return copy;
}

void warn_about_input(const Value& value, double scale, const std::vector<double>& mean,
                      Diagnostics& diagnostics) {
  const Entry* entry = value.find("mean");
  if (entry == nullptr || mean.size() != 3 || scale <= 0) return;
  const Span& where = entry->value->span;
  const auto near = [](double a, double b) { return std::fabs(a - b) < 0.5; };
  if (std::any_of(mean.begin(), mean.end(), [&](double m) { return m < 0 || m > scale; })) {
    const bool wants_255 = scale == 1 && *std::max_element(mean.begin(), mean.end()) > 1;
    diagnostics
        .warning("odd-input", where,
                 fmt::format(
                     "a mean outside of 0 to {}: the mean is subtracted after a picture's values of 0 to 1 "
                     "are multiplied by the scale of {}",
                     scale, scale))
        .suggest(wants_255 ? "scale: 255, if the weights want pictures of 0 to 255" : "");
    return;
  }
  if (scale == 255 && *std::max_element(mean.begin(), mean.end()) <= 1 &&
      *std::max_element(mean.begin(), mean.end()) > 0)
    diagnostics.warning("odd-input", where, "a mean of nearly 0 where pictures are of 0 to 255")
        .suggest("multiply the mean by 255, or scale: 1");
  if (near(mean[0], 103.939) && near(mean[1], 116.779) && near(mean[2], 123.68))
    diagnostics
        .warning("odd-input", where,
                 "this is Caffe's mean in the order blue, green, red; 'mean' takes red first")
        .suggest("mean: [123.68, 116.779, 103.939], whatever the order of the channels");
}

}  // namespace gramflow
