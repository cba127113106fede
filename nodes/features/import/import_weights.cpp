#include "nodes/features/import/import_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "nodes/features/checksum.h"
#include "nodes/features/convention_text.h"
#include "nodes/features/import/choose_network.h"
#include "nodes/features/printable.h"
#include "nodes/features/safetensors.h"
#include "nodes/features/weight_statistics.h"

namespace gramflow {
namespace {

constexpr double batch_norm_epsilon = 1e-5;  // PyTorch's default, which no VGG changes

/// Keras's kernel, HWIO, as OIHW.
std::vector<float> from_hwio(const std::vector<float>& hwio, const NetworkLayer& layer) {
  const auto in = static_cast<std::size_t>(layer.in_channels);
  const auto out = static_cast<std::size_t>(layer.out_channels);
  const auto area = static_cast<std::size_t>(layer.kernel) * static_cast<std::size_t>(layer.kernel);
  std::vector<float> oihw(hwio.size());
  for (std::size_t p = 0; p < area; ++p)
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t o = 0; o < out; ++o) oihw[(o * in + i) * area + p] = hwio[(p * in + i) * out + o];
  return oihw;
}

/// A batch norm that has learned is a factor and a summand for each channel; both go into the convolution
/// before it.
void fold(std::vector<float>& weights, std::vector<float>& bias,
          const std::vector<std::vector<float>>& norm) {
  const std::size_t size = weights.size() / bias.size();
  for (std::size_t o = 0; o < bias.size(); ++o) {
    const double factor = norm[0][o] / std::sqrt(static_cast<double>(norm[3][o]) + batch_norm_epsilon);
    for (std::size_t i = 0; i < size; ++i)
      weights[o * size + i] = static_cast<float>(weights[o * size + i] * factor);
    bias[o] = static_cast<float>((static_cast<double>(bias[o]) - norm[2][o]) * factor + norm[1][o]);
  }
}

void check_finite(const std::string& file, const SourceTensor& tensor, const std::vector<float>& values) {
  const auto bad =
      std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  if (bad != values.end())
    throw RunError(fmt::format("{}: tensor '{}' holds {} at position {}; the file is damaged", file,
                               printable(tensor.name), *bad, bad - values.begin()));
}

std::vector<std::size_t> wanted_tensors(const NetworkMatch& match) {
  std::vector<std::size_t> wanted;
  for (const LayerTensors& layer : match.layers) {
    wanted.push_back(layer.weight);
    wanted.push_back(layer.bias);
    if (layer.batch_norm) wanted.insert(wanted.end(), layer.batch_norm->begin(), layer.batch_norm->end());
  }
  return wanted;
}

std::vector<SafetensorsEntry> convert(const ImportOptions& options, const TensorSource& source,
                                      const NetworkChoice& choice) {
  const std::vector<std::size_t> wanted = wanted_tensors(choice.match);
  std::vector<std::vector<float>> values = source.read(wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i)
    check_finite(options.file, source.tensors()[wanted[i]], values[i]);
  std::vector<SafetensorsEntry> entries;
  std::size_t next = 0;
  for (const LayerTensors& tensors : choice.match.layers) {
    const NetworkLayer& layer = *tensors.layer;
    std::vector<float> weights = std::move(values[next++]);
    std::vector<float> bias = std::move(values[next++]);
    if (choice.naming == Naming::keras) weights = from_hwio(weights, layer);
    if (tensors.batch_norm) {
      const auto begin = values.begin() + static_cast<std::ptrdiff_t>(next);
      fold(weights, bias, std::vector<std::vector<float>>(begin, begin + 4));
      next += 4;
      const SourceTensor folded{"the batch norm after " + layer.name, "", {}};
      check_finite(options.file, folded, weights);
      check_finite(options.file, folded, bias);
    }
    entries.push_back({layer.weight_tensor,
                       {layer.out_channels, layer.in_channels, layer.kernel, layer.kernel},
                       std::move(weights)});
    entries.push_back({layer.bias_tensor, {layer.out_channels}, std::move(bias)});
  }
  return entries;
}

void warn_untrained(const std::vector<SafetensorsEntry>& entries, ImportReport& report) {
  int convolutions = 0;
  int trained = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.shape.size() != 4) continue;
    ++convolutions;
    trained += weight_verdict(weight_statistics(entry.values, entry.shape[0])) == "trained" ? 1 : 0;
  }
  if (2 * trained < convolutions)
    report.warnings.push_back(
        fmt::format("only {} of {} convolutions look trained; see gramflow weights info {}", trained,
                    convolutions, report.output));
}

}  // namespace

ImportReport import_weights(const ImportOptions& options, const NetworkPaths& paths) {
  const std::unique_ptr<TensorSource> source = open_tensor_source(options.file);
  const NetworkChoice choice = choose_network(options, *source, paths);
  ImportReport report;
  report.format = choice.format;
  report.network = choice.network->weights_of;
  report.convention = choice.convention;
  for (const std::string& name : choice.match.left_over) report.ignored.push_back(printable(name));
  for (const LayerTensors& layer : choice.match.layers) report.folded_batch_norms += layer.batch_norm ? 1 : 0;
  report.output = options.output;
  const std::vector<SafetensorsEntry> entries = convert(options, *source, choice);
  warn_untrained(entries, report);
  const std::string name = std::filesystem::path(options.file).filename().string();
  write_safetensors(options.output, entries,
                    {{"network", report.network},
                     {"convention", convention_text(choice.network->trained_input())},
                     {"source", options.source.empty() ? name : options.source},
                     {"source_sha256", file_checksums(options.file).sha256},
                     {"converter", "gramflow " GRAMFLOW_VERSION}},
                    options.half ? StoredType::f16 : StoredType::f32);
  return report;
}

std::string ImportReport::text() const {
  std::string lines =
      fmt::format("read        {}\nnetwork     {}\nconvention  {}\n", format, network, convention);
  if (folded_batch_norms > 0)
    lines +=
        fmt::format("folded      {} batch norms into the convolutions before them\n", folded_batch_norms);
  if (!ignored.empty()) {
    constexpr std::size_t most_shown = 24;
    const std::vector<std::string> shown(
        ignored.begin(), ignored.begin() + static_cast<std::ptrdiff_t>(std::min(ignored.size(), most_shown)));
    lines += fmt::format(
        "ignored     {} that the network does not use: {}{}\n", ignored.size(), fmt::join(shown, ", "),
        ignored.size() > most_shown ? fmt::format(" and {} more", ignored.size() - most_shown) : "");
  }
  lines += fmt::format("written     {} ({})\n", output, human_bytes(std::filesystem::file_size(output)));
  for (const std::string& warning : warnings) lines += "warning: " + warning + "\n";
  return lines;
}

}  // namespace gramflow
