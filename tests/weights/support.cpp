#include "tests/weights/support.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "nodes/networks/weights.h"
#include "nodes/weights/safetensors.h"

namespace gramflow::test {
namespace fs = std::filesystem;

void put_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  REQUIRE(file.good());
}

std::string get_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void put_safetensors(const std::string& path, const std::string& header, std::size_t data_bytes) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>((header.size() >> (8 * i)) & 0xFFU));
  put_bytes(path, bytes + header + std::string(data_bytes, '\0'));
}

std::string small_network_yaml(const std::string& name) {
  return "name: " + name + R"(
input: {order: rgb, scale: 1, mean: [0.5, 0.5, 0.5]}
weights: {file: small.safetensors}
layers:
  - {conv: conv1_1, in: 3, out: 4}
  - {pool: pool1, kind: max}
  - {conv: conv2_1, in: 4, out: 5}
)";
}

std::shared_ptr<const Network> network_of(const std::string& yaml, const std::string& folder) {
  put_bytes(folder + "/network.yaml", yaml);
  Diagnostics diagnostics;
  std::shared_ptr<const Network> network = load_network("network.yaml", folder, {}, {}, diagnostics);
  INFO(diagnostics.render());
  REQUIRE(network);
  return network;
}

std::string mistakes_of(const std::string& yaml) {
  const TemporaryFolder folder;
  put_bytes(folder / "network.yaml", yaml);
  Diagnostics diagnostics;
  const auto network = load_network("network.yaml", folder.path(), {}, {}, diagnostics);
  CHECK((network == nullptr) == diagnostics.has_errors());
  return diagnostics.render();
}

void put_weights(const Network& network, const std::string& path, std::uint64_t seed) {
  const auto weights = random_weights(network, seed);
  std::vector<SafetensorsEntry> entries;
  for (const NetworkLayer& layer : network.layers) {
    if (layer.kind != NetworkLayer::Kind::convolution) continue;
    const ConvolutionWeights& numbers = weights->convolutions.at(layer.name);
    entries.push_back({layer.weight_tensor,
                       {layer.out_channels, layer.in_channels, layer.kernel, layer.kernel},
                       numbers.weights});
    entries.push_back({layer.bias_tensor, {layer.out_channels}, numbers.bias});
  }
  write_safetensors(path, entries, {});
}

}  // namespace gramflow::test
