// A model is a list of layers; each says its kind, its settings and (but in a Sequential) the layers it
// takes. From that follows what stands between a convolution and its ReLU, which weights alone do not say.
#include "nodes/import/keras_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>

#include "framework/base/printable.h"

namespace gramflow {
namespace {

using Json = nlohmann::json;

constexpr std::size_t longest = 8U << 20;
constexpr int deepest = 12;
constexpr std::size_t most_layers = 5000;

std::string text_of(const Json& map, const char* key) {
  const auto found = map.find(key);
  return found != map.end() && found->is_string() ? found->get<std::string>() : "";
}

bool all_ones(const Json& map, const char* key) {
  const auto found = map.find(key);
  if (found == map.end()) return true;
  if (found->is_number()) return *found == 1;
  if (!found->is_array()) return true;
  return std::all_of(found->begin(), found->end(),
                     [](const Json& item) { return !item.is_number() || item == 1; });
}

/// An activation is a name, or an object of Keras 3.
std::string activation_of(const Json& config) {
  const auto found = config.find("activation");
  if (found == config.end() || found->is_null()) return "linear";
  if (found->is_string()) return *found;
  if (!found->is_object()) return "?";
  const auto inner = found->find("config");
  if (inner != found->end() && inner->is_string()) return *inner;
  return text_of(*found, "class_name");
}

/// ["layer", 0, 0, ...] and {"keras_history": ["layer", 0, 0]}, anywhere below.
void collect_inputs(const Json& value, std::vector<std::string>& names, int depth) {
  if (depth > deepest) return;
  if (value.is_array() && value.size() >= 3 && value[0].is_string() && value[1].is_number()) {
    names.push_back(value[0]);
    return;
  }
  if (value.is_array() || value.is_object())
    for (const Json& item : value) collect_inputs(item, names, depth + 1);
}

std::string snake_case(const std::string& name) {
  std::string result;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto upper = [&](std::size_t at) { return at < name.size() && name[at] >= 'A' && name[at] <= 'Z'; };
    const auto lower = [&](std::size_t at) { return at < name.size() && name[at] >= 'a' && name[at] <= 'z'; };
    if (i > 0 && upper(i) && (lower(i - 1) || lower(i + 1))) result += '_';
    result += upper(i) ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
  }
  return result;
}

bool is_convolution(const std::string& kind) {
  return kind.find("Conv") != std::string::npos && kind.find("2D") != std::string::npos;
}

/// Layers that change nothing when a network is used.
bool is_idle(const std::string& kind) {
  return kind.find("Dropout") != std::string::npos || kind == "GaussianNoise" ||
         kind == "ActivityRegularization";
}

/// Layers before which no ReLU is missing.
bool is_next_stage(const std::string& kind) {
  return is_convolution(kind) || kind.find("Pooling") != std::string::npos || kind == "ZeroPadding2D" ||
         kind == "Flatten" || kind == "Dense" || kind == "Reshape" || kind == "Permute";
}

}  // namespace

class KerasConfigReader {
 public:
  explicit KerasConfigReader(KerasConfig& config) : config_(config) {}

  void read_model(const Json& model, int depth) {
    if (depth > deepest || !model.is_object()) return;
    const auto config = model.find("config");
    if (config == model.end()) return;
    const Json* layers = config->is_array() ? &*config : nullptr;
    if (config->is_object())
      if (const auto found = config->find("layers"); found != config->end() && found->is_array())
        layers = &*found;
    if (layers == nullptr) return;
    const bool sequential = text_of(model, "class_name") == "Sequential" || config->is_array();
    std::string before;
    for (const Json& layer : *layers) {
      if (!layer.is_object() || config_.layers_.size() > most_layers) continue;
      const auto inner = layer.find("config");
      if (inner == layer.end()) continue;
      if (inner->is_array() || (inner->is_object() && inner->contains("layers"))) {
        read_model(layer, depth + 1);
        before.clear();
        continue;
      }
      if (!inner->is_object()) continue;
      add(layer, *inner);
      KerasConfig::Layer& added = config_.layers_.back();
      if (sequential && !before.empty()) added.inputs = {before};
      before = added.name;
    }
  }

 private:
  void add(const Json& layer, const Json& config) {
    KerasConfig::Layer made;
    made.kind = text_of(layer, "class_name");
    if (made.kind == "Convolution2D") made.kind = "Conv2D";
    made.name = text_of(config, "name");
    if (made.name.empty()) made.name = text_of(layer, "name");
    made.group = made.name;
    made.activation = activation_of(config);
    if (made.kind == "ReLU") {
      const auto number = [&](const char* key) {
        const auto found = config.find(key);
        return found != config.end() && found->is_number() ? found->get<double>() : 0.0;
      };
      const bool plain =
          number("max_value") == 0 && number("negative_slope") == 0 && number("threshold") == 0;
      made.activation = plain ? "relu" : "a ReLU with a slope, a limit or a threshold";
    }
    made.padding = text_of(config, "padding");
    if (made.padding.empty()) made.padding = text_of(config, "border_mode");
    for (const char* key : {"use_bias", "bias"})
      if (const auto found = config.find(key); found != config.end() && found->is_boolean())
        made.bias = *found;
    for (const char* key : {"strides", "subsample", "dilation_rate", "groups", "depth_multiplier"})
      made.plain = made.plain && all_ones(config, key);
    if (const auto found = config.find("epsilon"); found != config.end() && found->is_number())
      made.epsilon = found->get<double>();
    if (const auto found = config.find("kernel_size");
        found != config.end() && found->is_array() && !found->empty() && (*found)[0].is_number())
      made.kernel = static_cast<int>(std::clamp((*found)[0].get<double>(), 0.0, 1000.0));
    if (made.kind == "ZeroPadding2D") made.zero_padding = zero_padding(config);
    if (const auto found = layer.find("inbound_nodes"); found != layer.end())
      collect_inputs(*found, made.inputs, 0);
    if (const std::string order = text_of(config, "dim_ordering");
        !order.empty() && is_convolution(made.kind))
      config_.dim_ordering_ = order;
    config_.layers_.push_back(std::move(made));
  }

  /// The same on all sides, or -1.
  static int zero_padding(const Json& config) {
    const auto found = config.find("padding");
    if (found == config.end()) return -1;
    std::set<double> numbers;
    const auto collect = [&](const Json& value, const auto& again, int depth) -> void {
      if (value.is_number()) numbers.insert(value.get<double>());
      if (value.is_array() && depth < 3)
        for (const Json& item : value) again(item, again, depth + 1);
    };
    collect(*found, collect, 0);
    return numbers.size() == 1 && *numbers.begin() >= 0 && *numbers.begin() < 100
               ? static_cast<int>(*numbers.begin())
               : -1;
  }

  KerasConfig& config_;
};

KerasConfig::KerasConfig(const std::string& json) {
  if (json.empty() || json.size() > longest) return;
  const Json model = Json::parse(json, nullptr, false);
  if (model.is_discarded()) return;
  try {
    KerasConfigReader(*this).read_model(model, 0);
  } catch (const Json::exception&) {
    layers_.clear();
  }
}

const KerasConfig::Layer* KerasConfig::find(const std::string& group) const {
  // model_weights/conv/conv: the innermost part that is a layer.
  std::size_t end = group.size();
  while (true) {
    const std::size_t slash = end == 0 ? std::string::npos : group.rfind('/', end - 1);
    const std::size_t begin = slash == std::string::npos ? 0 : slash + 1;
    const std::string part = group.substr(begin, end - begin);
    for (const Layer& layer : layers_)
      if (layer.group == part) return &layer;
    if (slash == std::string::npos) return nullptr;
    end = slash;
  }
}

const KerasConfig::Layer* KerasConfig::only_consumer(const Layer& layer) const {
  const Layer* only = nullptr;
  for (const Layer& other : layers_) {
    if (std::find(other.inputs.begin(), other.inputs.end(), layer.name) == other.inputs.end()) continue;
    if (only != nullptr) return nullptr;
    only = &other;
  }
  return only;
}

LayerFacts KerasConfig::facts(const std::string& group) const {
  LayerFacts facts;
  const Layer* layer = find(group);
  if (layer == nullptr) return facts;
  if (layer->kind != "Conv2D") {
    facts.trouble = "is a " + printable(layer->kind);
    return facts;
  }
  if (!layer->plain) facts.trouble = "has a stride, dilation or groups";
  facts.no_bias = !layer->bias;
  if (layer->padding == "same") facts.padding = layer->kernel / 2;
  if (layer->padding == "valid") {
    facts.padding = 0;
    for (const Layer& other : layers_)
      if (other.zero_padding && layer->inputs == std::vector<std::string>{other.name})
        facts.padding = other.zero_padding;
  }
  // What people put in front of a network to make its input.
  for (const Layer& other : layers_)
    if (std::find(layer->inputs.begin(), layer->inputs.end(), other.name) != layer->inputs.end() &&
        (other.kind == "Rescaling" || other.kind == "Normalization" || other.kind == "Lambda" ||
         other.kind.find("BatchNormalization") != std::string::npos))
      facts.trouble = fmt::format("comes after a {} '{}'", printable(other.kind), printable(other.name));
  // What comes between it and the next layer, in order.
  bool active = layer->activation == "relu";
  if (!active && layer->activation != "linear")
    facts.trouble = "is activated by " + printable(layer->activation);
  facts.activated_inside = active;
  const Layer* at = only_consumer(*layer);
  for (int i = 0; at != nullptr && i < 10 && !is_next_stage(at->kind); ++i, at = only_consumer(*at)) {
    const std::string& kind = at->kind;
    if (is_idle(kind)) continue;
    if (kind.find("BatchNormalization") != std::string::npos && !active && facts.norm.empty()) {
      facts.norm = at->group;
    } else if ((kind == "Activation" || kind == "ReLU") &&
               (at->activation == "relu" || at->activation == "linear")) {
      active = active || at->activation == "relu";
    } else {
      facts.trouble = fmt::format("is followed by {} '{}'{}",
                                  kind == "Activation" || kind == "ReLU"
                                      ? "the activation " + printable(at->activation) + ","
                                      : "a " + printable(kind),
                                  printable(at->name), active ? " after its ReLU" : "");
      break;
    }
  }
  return facts;
}

std::optional<double> KerasConfig::epsilon(const std::string& group) const {
  const Layer* layer = find(group);
  return layer == nullptr ? std::nullopt : layer->epsilon;
}

void KerasConfig::use_groups(const std::vector<std::string>& groups) {
  std::map<std::string, int> counts;
  std::vector<std::string> counted;
  for (const Layer& layer : layers_) {
    const std::string base = snake_case(layer.kind);
    const int count = counts[base]++;
    counted.push_back(count == 0 ? base : fmt::format("{}_{}", base, count));
  }
  const auto covers = [&](const auto& names) {
    return std::all_of(groups.begin(), groups.end(), [&](const std::string& group) {
      return std::find(names.begin(), names.end(), group) != names.end();
    });
  };
  std::vector<std::string> names;
  for (const Layer& layer : layers_) names.push_back(layer.name);
  if (!covers(counted)) return;
  for (std::size_t i = 0; i < layers_.size(); ++i) layers_[i].group = counted[i];
}

}  // namespace gramflow
