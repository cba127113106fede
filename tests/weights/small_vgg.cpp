#include "tests/weights/small_vgg.h"

#include "nodes/weights/safetensors.h"

namespace gramflow::test {
namespace {

std::string yaml(const std::string& name, const std::string& input) {
  return "name: " + name + "\ninput: " + input + "\nweights: {file: " + name + R"(.safetensors}
layers:
  - {conv: conv1_1, in: 3, out: 4}
  - {pool: pool1, kind: max}
  - {conv: conv2_1, in: 4, out: 5}
)";
}

std::vector<float> numbers(std::size_t count, float first) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = first + static_cast<float>(i) / 256;
  return values;
}

std::vector<float> to_hwio(const std::vector<float>& oihw, std::size_t out, std::size_t in) {
  std::vector<float> hwio(oihw.size());
  for (std::size_t o = 0; o < out; ++o)
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t p = 0; p < 9; ++p) hwio[(p * in + i) * out + o] = oihw[(o * in + i) * 9 + p];
  return hwio;
}

}  // namespace

SmallVgg::SmallVgg()
    : paths{{folder.path()}, {folder / "cache"}, folder / "cache"},
      weight1(numbers(4 * 3 * 9, -0.25F)),
      bias1(numbers(4, 1)),
      weight2(numbers(5 * 4 * 9, 2)),
      bias2(numbers(5, 3)) {
  put_bytes(folder / "small.yaml",
            yaml("small", "{mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225]}"));
  put_bytes(folder / "small-caffe.yaml",
            yaml("small-caffe", "{order: bgr, scale: 255, mean: [123.68, 116.779, 103.939]}"));
}

std::string SmallVgg::torch_file(const std::string& prefix) const {
  const std::vector<TorchEntry> entries = {torch_entry(prefix + "features.0.weight", {4, 3, 3, 3}, "0"),
                                           torch_entry(prefix + "features.0.bias", {4}, "1"),
                                           torch_entry(prefix + "features.3.weight", {5, 4, 3, 3}, "2"),
                                           torch_entry(prefix + "features.3.bias", {5}, "3"),
                                           torch_entry(prefix + "classifier.0.weight", {2, 2}, "4")};
  return torch_zip(torch_pickle(entries), {{"0", bytes_of(weight1)},
                                           {"1", bytes_of(bias1)},
                                           {"2", bytes_of(weight2)},
                                           {"3", bytes_of(bias2)},
                                           {"4", bytes_of({1, 2, 3, 4})}});
}

std::string SmallVgg::torch_legacy_file() const {
  const std::vector<TorchEntry> entries = {
      torch_entry("features.0.weight", {4, 3, 3, 3}, "0"), torch_entry("features.0.bias", {4}, "1"),
      torch_entry("features.3.weight", {5, 4, 3, 3}, "2"), torch_entry("features.3.bias", {5}, "3")};
  return torch_legacy(
      torch_pickle(entries),
      {{"2", bytes_of(weight2)}, {"0", bytes_of(weight1)}, {"3", bytes_of(bias2)}, {"1", bytes_of(bias1)}});
}

void SmallVgg::put_keras_file(const std::string& file) const {
  put_keras(file, {{"block1_conv1/block1_conv1_W_1:0", {3, 3, 3, 4}, to_hwio(weight1, 4, 3)},
                   {"block1_conv1/block1_conv1_b_1:0", {4}, bias1},
                   {"block2_conv1/block2_conv1/kernel:0", {3, 3, 4, 5}, to_hwio(weight2, 5, 4)},
                   {"block2_conv1/block2_conv1/bias:0", {5}, bias2},
                   {"fc1/fc1_W_1:0", {2, 2}, {1, 2, 3, 4}}});
}

void SmallVgg::put_safetensors_file(const std::string& file, const std::string& first,
                                    const std::string& second,
                                    const std::map<std::string, std::string>& metadata) const {
  write_safetensors(file,
                    {{first + ".weight", {4, 3, 3, 3}, weight1},
                     {first + ".bias", {4}, bias1},
                     {second + ".weight", {5, 4, 3, 3}, weight2},
                     {second + ".bias", {5}, bias2}},
                    metadata);
}

bool SmallVgg::is_in(const std::string& file) const {
  const SafetensorsFile written(file);
  return written.tensors().size() == 4 && written.read("conv1_1.weight") == weight1 &&
         written.read("conv1_1.bias") == bias1 && written.read("conv2_1.weight") == weight2 &&
         written.read("conv2_1.bias") == bias2;
}

}  // namespace gramflow::test
