#include "nodes/import/matlab_file.h"

#include <algorithm>
#include <charconv>

#include "nodes/import/layer_parts.h"
#include "nodes/import/matlab_reader.h"
#include "nodes/import/tensor_names.h"

namespace gramflow {
namespace {

class MatlabSource final : public TensorSource {
 public:
  explicit MatlabSource(const std::string& path) : file_(path), contents_(file_.contents()) {}
  SourceFormat format() const override { return SourceFormat::matlab; }
  std::string format_text() const override {
    return is_matconvnet() ? "a MATLAB file of MatConvNet" : "a MATLAB file";
  }
  const std::vector<SourceTensor>& tensors() const override { return contents_.tensors; }
  std::string metadata(const std::string& key) const override {
    return key == "matconvnet" || key == "mean" ? text(key) : "";
  }
  SourceLayout layout(std::size_t index) const override {
    if (is_matconvnet()) return {KernelLayout{"hwio", false}, "as MatConvNet keeps them"};
    const SourceTensor& tensor = contents_.tensors.at(index);
    const bool one_side = tensor.shape.size() == 4 &&
                          std::count(tensor.shape.begin(), tensor.shape.end(), tensor.shape[0]) == 4;
    if (!one_side && split_name(clean_name(tensor.name)).role == "weight")
      return {KernelLayout{}, "by its name"};
    return {std::nullopt,
            "MATLAB does not say in what order the numbers of a kernel lie; say layout: hwio (MatConvNet) or "
            "oihw "
            "(PyTorch, Caffe) in the network's file"};
  }
  LayerFacts facts(std::size_t index) const override {
    const std::string& name = contents_.tensors.at(index).name;
    LayerFacts facts;
    facts.trouble = text("trouble " + name);
    int padding = -1;
    const std::string said = text("padding " + name);
    std::from_chars(said.data(), said.data() + said.size(), padding);
    if (!said.empty() && padding >= 0) facts.padding = padding;
    return facts;
  }
  std::vector<std::vector<float>> read(const std::vector<std::size_t>& indices) const override {
    std::vector<std::vector<float>> result;
    for (const std::size_t index : indices) result.push_back(file_.read(index));
    return result;
  }

 private:
  bool is_matconvnet() const { return !text("matconvnet").empty(); }
  std::string text(const std::string& key) const {
    const auto found = contents_.texts.find(key);
    return found == contents_.texts.end() ? "" : found->second;
  }

  MatlabFile file_;
  const MatlabContents& contents_;
};

}  // namespace

std::unique_ptr<TensorSource> open_matlab(const std::string& path) {
  return std::make_unique<MatlabSource>(path);
}

}  // namespace gramflow
