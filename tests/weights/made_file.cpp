#include "tests/weights/made_file.h"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

#include "framework/base/error.h"
#include "nodes/weights/safetensors.h"
#include "tests/weights/make_hdf5.h"
#include "tests/weights/make_torch.h"

namespace gramflow::test {

MadeFile::MadeFile()
    : paths{{folder.path()}, {folder.path()}, ""}, file(folder / "in"), out(folder / "out.safetensors") {}

void MadeFile::add(const std::string& name, const std::vector<std::int64_t>& shape) {
  std::mt19937 generator(seed_++);
  std::normal_distribution<float> normal(0, 0.4F);
  std::size_t count = 1;
  for (const std::int64_t side : shape) count *= static_cast<std::size_t>(side);
  std::vector<float> values(count);
  const bool positive = name.find("var") != std::string::npos;
  for (float& value : values) value = positive ? 0.3F + std::fabs(normal(generator)) : normal(generator);
  add(name, shape, std::move(values));
}

void MadeFile::add(const std::string& name, const std::vector<std::int64_t>& shape,
                   std::vector<float> values) {
  tensors_.push_back({name, shape, std::move(values)});
}

void MadeFile::add_norm(const std::string& module, std::int64_t channels) {
  for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"})
    add(module + part, {channels});
}

void MadeFile::add_keras_norm(const std::string& module, std::int64_t channels) {
  for (const char* part : {"/gamma:0", "/beta:0", "/moving_mean:0", "/moving_variance:0"})
    add(module + part, {channels});
}

const std::vector<float>& MadeFile::values(const std::string& name) const {
  for (const MadeTensor& tensor : tensors_)
    if (tensor.name == name) return tensor.values;
  FAIL("no tensor " << name);
  return tensors_.front().values;
}

void MadeFile::put_torch() const {
  std::vector<TorchEntry> entries;
  NamedBytes storages;
  for (const MadeTensor& tensor : tensors_) {
    const std::string key = std::to_string(storages.size());
    entries.push_back(torch_entry(tensor.name, tensor.shape, key));
    storages.emplace_back(key, bytes_of(tensor.values));
  }
  put_bytes(file, torch_zip(torch_pickle(entries), storages));
}

void MadeFile::put_safetensors() const {
  std::vector<SafetensorsEntry> entries;
  for (const MadeTensor& tensor : tensors_) entries.push_back({tensor.name, tensor.shape, tensor.values});
  write_safetensors(file, entries, {});
}

void MadeFile::put_hdf5(const std::map<std::string, std::string>& attributes, std::int64_t user_block) const {
  std::vector<KerasDataset> datasets;
  for (const MadeTensor& tensor : tensors_) datasets.push_back({tensor.name, tensor.shape, tensor.values});
  put_keras(file, datasets, attributes, user_block);
}

void MadeFile::put_network(const std::string& layers, const std::string& keys) {
  put_bytes(
      folder / "mine.yaml",
      "name: mine\ninput: {mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}\n" +
          (keys.find("weights:") == std::string::npos ? std::string("weights: {file: mine.safetensors}\n")
                                                      : "") +
          keys + "layers:\n" + layers);
}

ImportOptions MadeFile::mine() const {
  ImportOptions options;
  options.network = folder / "mine.yaml";
  options.convention = "network";
  return options;
}

ImportReport MadeFile::import(ImportOptions options) const {
  if (options.file.empty()) options.file = file;
  options.output = out;
  return import_weights(options, paths);
}

ImportReport MadeFile::import_mine(const std::string& prefix) const {
  ImportOptions options = mine();
  if (prefix != "?") options.prefix = prefix;
  return import(options);
}

std::string MadeFile::refused(const ImportOptions& options) const {
  const std::string message = message_of<RunError>([&] { import(options); });
  CHECK_FALSE(message.empty());
  CHECK(get_bytes(out).empty());
  return message;
}

std::string MadeFile::refused_mine() const { return refused(mine()); }

std::vector<float> MadeFile::imported(const std::string& tensor) const {
  return SafetensorsFile(out).read(tensor);
}

double MadeFile::error_of(const std::string& tensor, const std::vector<double>& expected) const {
  const std::vector<float> found = imported(tensor);
  REQUIRE(found.size() == expected.size());
  double largest = 1e-30;
  double worst = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    largest = std::max(largest, std::fabs(expected[i]));
    worst = std::max(worst, std::fabs(found[i] - expected[i]));
  }
  return worst / largest;
}

Folded folded(const std::vector<float>& weight, const std::vector<float>& bias,
              const std::vector<float>& scale, const std::vector<float>& shift,
              const std::vector<float>& mean, const std::vector<float>& variance, double epsilon) {
  Folded result{as_double(weight), as_double(bias)};
  if (result.bias.empty()) result.bias.resize(mean.size(), 0.0);
  const std::size_t size = weight.size() / mean.size();
  for (std::size_t o = 0; o < mean.size(); ++o) {
    const double factor =
        static_cast<double>(scale[o]) / std::sqrt(static_cast<double>(variance[o]) + epsilon);
    for (std::size_t i = 0; i < size; ++i) result.weight[o * size + i] *= factor;
    result.bias[o] = (result.bias[o] - mean[o]) * factor + shift[o];
  }
  return result;
}

std::vector<double> as_double(const std::vector<float>& values) { return {values.begin(), values.end()}; }

std::vector<float> reordered(const std::vector<float>& oihw, std::int64_t out, std::int64_t in,
                             std::int64_t side, const std::string& axes, bool turned) {
  std::vector<float> result;
  const auto length = [&](char axis) { return axis == 'o' ? out : axis == 'i' ? in : side; };
  std::array<std::int64_t, 128> at{};
  for (at[static_cast<std::size_t>(axes[0])] = 0; at[static_cast<std::size_t>(axes[0])] < length(axes[0]);
       ++at[static_cast<std::size_t>(axes[0])])
    for (at[static_cast<std::size_t>(axes[1])] = 0; at[static_cast<std::size_t>(axes[1])] < length(axes[1]);
         ++at[static_cast<std::size_t>(axes[1])])
      for (at[static_cast<std::size_t>(axes[2])] = 0; at[static_cast<std::size_t>(axes[2])] < length(axes[2]);
           ++at[static_cast<std::size_t>(axes[2])])
        for (at[static_cast<std::size_t>(axes[3])] = 0;
             at[static_cast<std::size_t>(axes[3])] < length(axes[3]);
             ++at[static_cast<std::size_t>(axes[3])]) {
          const std::int64_t y = turned ? side - 1 - at['h'] : at['h'];
          const std::int64_t x = turned ? side - 1 - at['w'] : at['w'];
          result.push_back(oihw[static_cast<std::size_t>(((at['o'] * in + at['i']) * side + y) * side + x)]);
        }
  return result;
}

}  // namespace gramflow::test
