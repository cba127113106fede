#include "nodes/networks/layer_words.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace gramflow {
namespace {

/// All of the text as a number from 0 on.
std::optional<std::size_t> number(std::string_view text) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The layer that is the `count`th of its kind, from 1; nullptr when there are fewer.
const NetworkLayer* counted(const Network& network, NetworkLayer::Kind kind, std::size_t count) {
  for (const NetworkLayer& layer : network.layers)
    if (layer.kind == kind && --count == 0) return &layer;
  return nullptr;
}

std::string counted_by_kind(const Network& network, std::string_view name) {
  struct Word {
    std::string_view beginning;
    NetworkLayer::Kind kind;
    const char* plural;
  };
  for (const Word& word :
       {Word{"conv_", NetworkLayer::Kind::convolution, "convolutions"},
        Word{"relu_", NetworkLayer::Kind::relu, "ReLUs"}, Word{"pool_", NetworkLayer::Kind::pool, "pools"}}) {
    if (!name.starts_with(word.beginning)) continue;
    const auto count = number(name.substr(word.beginning.size()));
    const NetworkLayer* layer = count && *count > 0 ? counted(network, word.kind, *count) : nullptr;
    if (layer != nullptr)
      return fmt::format("write '{}': PyTorch's tutorial counts {}", layer->name, word.plural);
  }
  return "";
}

std::string of_keras(const Network& network, std::string_view name) {
  if (!name.starts_with("block")) return "";
  const std::size_t middle = name.find('_');
  if (middle == std::string_view::npos) return "";
  const auto block = number(name.substr(5, middle - 5));
  const std::string_view rest = name.substr(middle + 1);
  if (!block) return "";
  std::string here;
  if (rest == "pool") here = fmt::format("pool{}", *block);
  if (rest.starts_with("conv"))
    if (const auto convolution = number(rest.substr(4)))
      here = fmt::format("relu{}_{}", *block, *convolution);
  if (here.empty() || network.find(here) < 0) return "";
  return fmt::format("write '{}': that is Keras's name, whose convolutions end with their ReLU", here);
}

std::string of_torchvision(const Network& network, std::string_view name) {
  if (name.starts_with("features.")) name.remove_prefix(9);
  const auto place = number(name);
  if (!place || *place >= network.layers.size()) return "";
  return fmt::format("write '{}': torchvision counts all layers, from 0", network.layers[*place].name);
}

}  // namespace

std::string layer_in_other_words(const Network& network, std::string_view name) {
  for (const auto of : {counted_by_kind, of_keras, of_torchvision})
    if (std::string hint = of(network, name); !hint.empty()) return hint;
  return "";
}

}  // namespace gramflow
