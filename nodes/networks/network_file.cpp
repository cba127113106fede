// Two steps, and the second runs however the first went, so that one run tells every mistake. The declared
// keys are decoded as those of nodes are (unknown keys, types, ranges). Then the layers are chained: channels
// must fit, names must be unique.
#include "nodes/networks/network_file.h"
#include "framework/config/yaml_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "framework/base/plain_file.h"
#include "framework/base/text.h"
#include "nodes/networks/network_advice.h"
#include "nodes/networks/network_parameters.h"

namespace gramflow {
namespace {

std::string relu_name(const std::string& conv) {
  int block = 0;
  int number = 0;
  char rest = 0;
  const bool is_vgg = std::sscanf(conv.c_str(), "conv%d_%d%c", &block, &number, &rest) == 2;
  return is_vgg ? "relu" + conv.substr(4) : conv + "_relu";
}

bool is_hexadecimal(const std::string& text) {
  return text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

class Builder {
 public:
  Builder(const NetworkParameters& parameters, const Value& root, Diagnostics& diagnostics)
      : parameters_(parameters), root_(root), diagnostics_(diagnostics) {}

  Network run() {
    network_.name = parameters_.name;
    network_.summary = parameters_.summary;
    network_.border = parameters_.padding;
    network_.weights_file = parameters_.weights.file;
    network_.weights_of =
        parameters_.weights.network.empty() ? parameters_.name : parameters_.weights.network;
    network_.ignored_names = parameters_.weights.ignore;
    add_layout();
    add_input();
    add_downloads();
    add_layers();
    change_weights_input();
    return std::move(network_);
  }

 private:
  static const Value::List* list_of(const Value& map, std::string_view key) {
    const Entry* entry = map.find(key);
    return entry == nullptr ? nullptr : entry->value->list();
  }

  void add_layout() {
    if (parameters_.layout.empty()) return;
    network_.layout = parse_layout(parameters_.layout);
    if (!network_.layout)
      diagnostics_
          .error("bad-layout", root_.find("layout")->value->span,
                 "'layout' takes the order of a kernel's dimensions: the letters o, i, h and w (out, in, "
                 "height, "
                 "width), and -turned for kernels turned by 180 degrees; found '" +
                     parameters_.layout + "'")
          .suggest("hwio for Keras and TensorFlow, oihw for PyTorch and Caffe, oihw-turned for Theano");
  }

  void add_input() {
    if (const Entry* entry = root_.find("input"))
      network_.input = convention(parameters_.input, *entry->value, "input");
    const Entry* weights = root_.find("weights");
    const Entry* trained = weights == nullptr ? nullptr : weights->value->find("input");
    if (trained == nullptr || !parameters_.weights.input) return;
    network_.weights_input = convention(*parameters_.weights.input, *trained->value, "weights.input");
    weights_input_span_ = trained->value->span;
  }

  InputConvention convention(const InputParameters& parameters, const Value& value, const std::string& name) {
    warn_about_input(value, parameters.scale, parameters.mean, diagnostics_);
    InputConvention result{parameters.order, parameters.scale, {}, {1, 1, 1}};
    copy_three(value, name, "mean", parameters.mean, result.mean);
    copy_three(value, name, "std", parameters.std, result.std);
    if (std::find(result.std.begin(), result.std.end(), 0.0) != result.std.end())
      diagnostics_.error(
          "out-of-range", value.find("std")->value->span,
          fmt::format("'{}.std' must not be 0: the picture's numbers are divided by it", name));
    return result;
  }

  /// Zeros around the input would not be what the weights saw around theirs.
  void change_weights_input() {
    if (!network_.weights_input || network_.layers.empty()) return;
    NetworkLayer& first = network_.layers.front();
    first.input_change = {network_.input, *network_.weights_input};
    if (first.kind != NetworkLayer::Kind::convolution ||
        (network_.border == Border::zero && first.padding > 0))
      diagnostics_
          .error("bad-layer", weights_input_span_,
                 "'weights.input' needs a first convolution that does not pad with zeros, which would be "
                 "other values for the weights")
          .suggest("make it the network's own 'input'");
  }

  void copy_three(const Value& input, const std::string& name, const char* key,
                  const std::vector<double>& from, std::array<double, 3>& to) {
    const Entry* entry = input.find(key);
    if (entry == nullptr || entry->value->list() == nullptr) return;
    if (entry->value->list()->size() != 3)
      diagnostics_.error("wrong-type", entry->value->span,
                         fmt::format("'{}.{}' takes three numbers (red, green, blue), found {}", name, key,
                                     entry->value->list()->size()));
    else if (from.size() == 3)
      std::copy(from.begin(), from.end(), to.begin());
  }

  void add_downloads() {
    const Entry* weights = root_.find("weights");
    const Value::List* items = weights == nullptr ? nullptr : list_of(*weights->value, "downloads");
    for (std::size_t i = 0; i < parameters_.weights.downloads.size(); ++i) {
      const DownloadParameters& download = parameters_.weights.downloads[i];
      network_.downloads.push_back({download.url, download.md5, download.sha256_prefix});
      if (items == nullptr || items->size() != parameters_.weights.downloads.size()) continue;
      const Span& span = (*items)[i]->span;
      if (!download.md5.empty() && (download.md5.size() != 32 || !is_hexadecimal(download.md5)))
        diagnostics_.error("bad-checksum", span,
                           "'md5' takes 32 digits of 0-9 and a-f, found '" + download.md5 + "'");
      if (download.sha256_prefix.size() > 64 || !is_hexadecimal(download.sha256_prefix))
        diagnostics_.error(
            "bad-checksum", span,
            "'sha256_prefix' takes up to 64 digits of 0-9 and a-f, found '" + download.sha256_prefix + "'");
      if (download.md5.empty() && download.sha256_prefix.size() < 8)
        diagnostics_
            .error("bad-checksum", span,
                   "a download needs a checksum, or nobody could tell whether it arrived whole")
            .suggest("add md5, or at least 8 digits of sha256_prefix");
    }
  }

  void add_layers() {
    const Entry* entry = root_.find("layers");
    const Value::List* items = list_of(root_, "layers");
    if (items == nullptr || items->empty()) {
      const Span& span = entry == nullptr ? root_.span : entry->value->span;
      const std::string found = entry == nullptr   ? "nothing"
                                : items != nullptr ? "an empty list"
                                                   : entry->value->describe();
      diagnostics_
          .error(entry == nullptr ? "missing-parameter" : "wrong-type", span,
                 "'layers' takes a list of layers, found " + found)
          .suggest("layers: [{conv: conv1_1, in: 3, out: 64}, {pool: pool1, kind: max}]");
      return;
    }
    const ParameterSchema schema = ParameterSchema::of<LayerParameters>();
    for (const ValuePtr& item : *items) {
      if (item->map() == nullptr) {
        diagnostics_.error("wrong-type", item->span, "a layer is a map, found " + item->describe())
            .suggest("{conv: conv1_1, in: 3, out: 64} or {pool: pool1, kind: max}");
        continue;
      }
      const std::any decoded = schema.decode(*item->map(), {}, item->span, "a layer", diagnostics_);
      add_layer(*std::any_cast<LayerParameters>(&decoded), *item);
    }
  }

  void add_layer(const LayerParameters& layer, const Value& where) {
    if (layer.conv.has_value() == layer.pool.has_value()) {
      diagnostics_.error("bad-layer", where.span, "a layer is either a 'conv' or a 'pool', by its name")
          .suggest("{conv: conv1_1, in: 3, out: 64} or {pool: pool1, kind: max}");
      return;
    }
    if (layer.pool)
      add_pool(layer, where);
    else
      add_convolution(layer, where);
  }

  void add_pool(const LayerParameters& layer, const Value& where) {
    refuse_keys(where,
                {"in", "out", "kernel", "padding", "relu", "weight", "bias", "norm", "epsilon", "gain"},
                "pool", "a convolution");
    NetworkLayer made;
    made.kind = NetworkLayer::Kind::pool;
    made.name = *layer.pool;
    made.pool = layer.kind;
    push(std::move(made), name_span(where));
  }

  void add_convolution(const LayerParameters& layer, const Value& where) {
    refuse_keys(where, {"kind"}, "conv", "a pool");
    const std::string& name = *layer.conv;
    for (const char* key : {"in", "out"})
      if (where.find(key) == nullptr)
        diagnostics_.error("bad-layer", where.span,
                           fmt::format("convolution '{}' has no '{}': its channels", name, key));
    if (layer.in && channels_ > 0 && *layer.in != channels_)
      diagnostics_
          .error("bad-layer", where.find("in")->value->span,
                 fmt::format("'{}' takes {} channels, but {} come out of {}", name, *layer.in, channels_,
                             before_))
          .suggest(fmt::format("in: {}", channels_));
    if (layer.kernel % 2 == 0)
      diagnostics_.error("bad-layer", where.find("kernel")->value->span,
                         fmt::format("the kernel of '{}' must be odd, found {}", name, layer.kernel));
    else if (layer.padding && *layer.padding >= layer.kernel)
      diagnostics_.error("bad-layer", where.find("padding")->value->span,
                         fmt::format("the padding of '{}' must be less than its kernel of {}, found {}", name,
                                     layer.kernel, *layer.padding));
    channels_ = layer.out.value_or(0);  // 0: unknown, so that one mistake is not told again at the next layer
    before_ = "'" + name + "'";
    NetworkLayer made;
    made.name = name;
    made.in_channels = layer.in.value_or(0);
    made.out_channels = layer.out.value_or(0);
    made.kernel = layer.kernel;
    made.padding = layer.padding.value_or(layer.kernel / 2);
    made.gain_before = gain_;
    made.gain = gain_ = layer.gain.value_or(1);
    made.weight_tensor = layer.weight.empty() ? name + ".weight" : layer.weight;
    made.weight_given = !layer.weight.empty();
    made.no_bias = layer.bias.none;
    made.bias_given = !layer.bias.tensor.empty() && !layer.bias.none;
    made.bias_tensor = made.bias_given ? layer.bias.tensor : name + ".bias";
    made.no_norm = layer.norm == "none";
    if (!made.no_norm) made.norm = layer.norm;
    made.epsilon = layer.epsilon;
    push(std::move(made), name_span(where));
    if (!layer.relu) return;
    NetworkLayer relu;
    relu.kind = NetworkLayer::Kind::relu;
    relu.name = relu_name(name);
    push(std::move(relu), name_span(where));
  }

  static const Span& name_span(const Value& layer) {
    const Entry* entry = layer.find("conv");
    return (entry != nullptr ? entry : layer.find("pool"))->value->span;
  }

  void refuse_keys(const Value& where, std::initializer_list<const char*> keys, const char* kind,
                   const char* owner) {
    for (const char* key : keys)
      if (const Entry* entry = where.find(key))
        diagnostics_.error("bad-layer", entry->key_span,
                           fmt::format("a {} has no '{}'; it belongs to {}", kind, key, owner));
  }

  void push(NetworkLayer layer, const Span& where) {
    const auto [first, added] = places_.emplace(layer.name, where);
    if (!added && first->second.begin != last_duplicate_)
      diagnostics_.error("duplicate-layer", where, "there are two layers named '" + layer.name + "'")
          .note("the first one", first->second);
    if (!added) last_duplicate_ = first->second.begin;  // its ReLU's name is not told as well
    network_.layers.push_back(std::move(layer));
  }

  const NetworkParameters& parameters_;
  const Value& root_;
  Diagnostics& diagnostics_;
  Network network_;
  std::map<std::string, Span> places_;
  Position last_duplicate_;
  Span weights_input_span_;
  int channels_ = 3;
  double gain_ = 1;
  std::string before_ = "a picture";
};

bool looks_like_network(const std::string& text) {
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line))
    for (const char* key : {"layers:", "name:", "{", "weights:"})
      if (line.starts_with(key)) return true;
  return false;
}

}  // namespace

std::shared_ptr<const Network> read_network_file(const std::string& path, Diagnostics& diagnostics) {
  if (const std::string kind = not_a_plain_file(path); !kind.empty()) {
    diagnostics.error("network-file", {std::make_shared<SourceFile>(path, ""), {}, {}},
                      "it is " + kind + "; the file of a network was expected");
    return nullptr;
  }
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  const auto source = std::make_shared<SourceFile>(path, text.str());
  const std::size_t errors = diagnostics.error_count();
  if (!file) {
    diagnostics.error("network-file", {source, {}, {}}, "the network file cannot be read or is empty");
    return nullptr;
  }
  // Nothing is shown of a file that is no network's: it may be anybody's.
  if (!looks_like_network(source->text())) {
    diagnostics.error("network-file", {source, {}, {}},
                      "it is no network file: it has neither 'layers:' nor 'name:'");
    return nullptr;
  }
  ValuePtr root = parse_yaml(source, diagnostics);
  if (!root || diagnostics.error_count() > errors) return nullptr;
  if (root->map() == nullptr) {
    diagnostics.error(
        "wrong-type", root->span,
        "a network file is a map with name, input, weights and layers; found " + root->describe());
    return nullptr;
  }
  root = advise_on_network(root, diagnostics);
  const ParameterSchema schema = ParameterSchema::of<NetworkParameters>();
  const std::any decoded = schema.decode(*root->map(), {"layers"}, root->span, "the network", diagnostics);
  auto network = std::make_shared<Network>(
      Builder(*std::any_cast<NetworkParameters>(&decoded), *root, diagnostics).run());
  network->file = path;
  return diagnostics.error_count() > errors ? nullptr : network;
}

}  // namespace gramflow
