#include "nodes/import/import_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "framework/base/error.h"
#include "framework/base/printable.h"
#include "framework/base/replaced_file.h"
#include "framework/base/text.h"
#include "nodes/import/choose_network.h"
#include "nodes/import/layer_numbers.h"
#include "nodes/networks/convention_text.h"
#include "nodes/weights/checksum.h"
#include "nodes/weights/half.h"
#include "nodes/weights/safetensors.h"
#include "nodes/weights/weight_statistics.h"

namespace gramflow {
namespace {

class Importer {
 public:
  Importer(const ImportOptions& options, const NetworkPaths& paths) : options_(options), paths_(paths) {}

  ImportReport run() {
    std::error_code unknown;
    if (std::filesystem::equivalent(options_.file, writing_target(options_.output), unknown))
      throw RunError(options_.output +
                     ": this is the file that is imported; choose another name to write to");
    std::error_code ignored;
    const auto size = std::filesystem::file_size(options_.file, ignored);
    tell("opening " + options_.file, 0, ignored ? 0 : size);
    const std::unique_ptr<TensorSource> source = open_tensor_source(options_.file);
    const Checksums checksums = file_checksums(options_.file, [&](std::uint64_t done, std::uint64_t total) {
      tell("checking " + options_.file, done, total);
    });
    const TensorNames names(source->tensors());
    const NetworkChoice choice = choose_network(options_, *source, names, checksums, paths_);
    report_.format = choice.format;
    report_.prefix = choice.set;
    report_.network = choice.network->weights_of;
    report_.why_network = choice.why;
    report_.convention = choice.convention;
    for (const std::string& name : choice.match.left_over) report_.ignored.push_back(printable(name));
    for (const LayerTensors& layer : choice.match.layers) report_.folded_batch_norms += layer.norm ? 1 : 0;
    report_.output = options_.output;
    write(*source, choice, checksums);
    finish_warnings();
    return std::move(report_);
  }

 private:
  void tell(const std::string& what, std::uint64_t done, std::uint64_t total) const {
    if (options_.progress) options_.progress(what, done, total);
  }

  void write(const TensorSource& source, const NetworkChoice& choice, const Checksums& checksums) {
    std::vector<SafetensorsShape> shapes;
    std::uint64_t total = 0;
    for (const LayerTensors& tensors : choice.match.layers) {
      const NetworkLayer& layer = *tensors.layer;
      shapes.push_back(
          {layer.weight_tensor, {layer.out_channels, layer.in_channels, layer.kernel, layer.kernel}});
      shapes.push_back({layer.bias_tensor, {layer.out_channels}});
      total += static_cast<std::uint64_t>(layer.out_channels) *
               static_cast<std::uint64_t>(layer.in_channels) *
               static_cast<std::uint64_t>(layer.kernel * layer.kernel) * sizeof(float);
    }
    const std::string name = std::filesystem::path(options_.file).filename().string();
    SafetensorsWriter writer(options_.output, shapes,
                             {{"network", report_.network},
                              {"convention", convention_text(choice.network->trained_input())},
                              {"source", options_.source.empty() ? name : options_.source},
                              {"source_sha256", checksums.sha256},
                              {"converter", "gramflow " GRAMFLOW_VERSION}},
                             options_.half ? StoredType::f16 : StoredType::f32);
    std::uint64_t done = 0;
    for (const LayerTensors& tensors : choice.match.layers) {
      tell("converting " + tensors.layer->name, done, total);
      ConvolutionWeights numbers = read_layer(options_.file, source, tensors);
      if (choice.change_from && &tensors == &choice.match.layers.front())
        change_input(numbers, *tensors.layer, *choice.change_from, choice.network->trained_input());
      look_at(*tensors.layer, numbers);
      writer.write(numbers.weights);
      writer.write(numbers.bias);
      done += numbers.weights.size() * sizeof(float);
    }
    tell("converting", total, total);
    writer.commit();
  }

  void look_at(const NetworkLayer& layer, const ConvolutionWeights& numbers) {
    ++convolutions_;
    trained_ += weight_verdict(weight_statistics(numbers.weights, layer.out_channels)) == "trained" ? 1 : 0;
    if (!options_.half) return;
    // Numbers below 6e-8 become zero, and those below 6e-5 lose digits.
    double before = 0;
    double after = 0;
    for (const float value : numbers.weights) {
      const double rounded = float_from_half(half_from_float(value));
      before += static_cast<double>(value) * value;
      after += rounded * rounded;
    }
    if (before > 0 && std::fabs(std::sqrt(after / before) - 1) > 0.001)
      shrunk_.push_back(
          fmt::format("{} by {:.2g} %", layer.name, 100 * std::fabs(std::sqrt(after / before) - 1)));
  }

  void finish_warnings() {
    if (!shrunk_.empty())
      report_.warnings.push_back(
          "--f16 changes how long kernels are, because their numbers are too small for half "
          "precision: " +
          join_words(shrunk_) + "; leave --f16 out");
    if (2 * trained_ < convolutions_)
      report_.warnings.push_back(
          fmt::format("only {} of {} convolutions look trained; see gramflow weights info {}", trained_,
                      convolutions_, report_.output));
  }

  const ImportOptions& options_;
  const NetworkPaths& paths_;
  ImportReport report_;
  int convolutions_ = 0;
  int trained_ = 0;
  std::vector<std::string> shrunk_;  // kernels that half precision changes
};

}  // namespace

ImportReport import_weights(const ImportOptions& options, const NetworkPaths& paths) {
  return Importer(options, paths).run();
}

std::string ImportReport::text() const {
  std::string lines = fmt::format("read        {}\n", format);
  if (!prefix.empty()) lines += fmt::format("prefix      {}\n", prefix);
  lines += fmt::format("network     {} ({})\nconvention  {}\n", network, why_network, convention);
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
