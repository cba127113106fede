// How kernels lie follows from who wrote the file. Keras 2 and 3 write HWIO; under the Theano backend the
// kernels are also turned by 180 degrees. Keras 1 writes HWIO or Theano's OIHW, as dim_ordering says. Before
// that nothing said anything. Names of the files that were handed round say both: th_dim_ordering is OIHW,
// th_kernels are turned.
#include "nodes/import/hdf5_file.h"

#include "framework/base/printable.h"
#include "nodes/import/byte_file.h"
#include "nodes/import/hdf5_reader.h"
#include "nodes/import/keras_config.h"
#include "nodes/import/tensor_names.h"

namespace gramflow {
namespace {

constexpr std::string_view signature = "\x89HDF\r\n\x1a\n";

constexpr const char* say_layout =
    "say layout: hwio (Keras, TensorFlow), oihw (PyTorch, Caffe) or oihw-turned (Theano) in the network's "
    "file";

class Hdf5Source final : public TensorSource {
 public:
  Hdf5Source(const std::string& path, const std::string& shown, const std::string& config)
      : shown_(shown), file_(path, shown) {
    Hdf5Contents contents = file_.list();
    tensors_ = std::move(contents.tensors);
    attributes_ = std::move(contents.attributes);
    config_ = KerasConfig(config.empty() ? attribute("model_config") : config);
    std::vector<std::string> groups;
    for (const SourceTensor& tensor : tensors_) {
      is_keras_ = is_keras_ || looks_like_keras(tensor.name);
      const NamedPart part = split_name(tensor.name);
      if (part.role == "vars/0" && !is_bookkeeping(tensor.name))
        groups.push_back(part.module.substr(part.module.rfind('/') + 1));
    }
    is_keras_ = is_keras_ || !attributes_.empty();
    if (!groups.empty()) config_.use_groups(groups);
    find_layout();
  }

  SourceFormat format() const override { return SourceFormat::keras; }
  std::string format_text() const override { return is_keras_ ? "a Keras HDF5 file" : "an HDF5 file"; }
  const std::vector<SourceTensor>& tensors() const override { return tensors_; }

  SourceLayout layout(std::size_t index) const override {
    const SourceTensor& tensor = tensors_.at(index);
    const std::string role = split_name(tensor.name).role;
    if (file_layout_) return {file_layout_, file_reason_};
    if (!file_reason_.empty()) return {std::nullopt, file_reason_};
    if (role == "param_0")
      return {std::nullopt,
              "a Keras of before 1.1 wrote the file, which says neither Theano's order of dimensions nor "
              "whether kernels "
              "are turned by 180 degrees, as Theano's are (the VGGs of that time: layout: oihw-turned); " +
                  std::string(say_layout)};
    if (is_keras_) return {KernelLayout{"hwio", false}, "as Keras writes them"};
    const bool one_side = tensor.shape.size() == 4 && tensor.shape[0] == tensor.shape[1] &&
                          tensor.shape[1] == tensor.shape[2] && tensor.shape[2] == tensor.shape[3];
    if (role == "weight" && !one_side) return {KernelLayout{}, "by its name"};
    return {std::nullopt,
            "nothing in the file says in what order its kernels lie; " + std::string(say_layout)};
  }

  LayerFacts facts(std::size_t index) const override {
    LayerFacts facts = config_.facts(split_name(tensors_.at(index).name).module);
    if (!facts.norm.empty()) facts.norm = module_of(facts.norm);
    return facts;
  }
  std::optional<double> epsilon(const std::string& module) const override { return config_.epsilon(module); }

  std::vector<std::vector<float>> read(const std::vector<std::size_t>& indices) const override {
    std::vector<std::vector<float>> result;
    for (const std::size_t index : indices) result.push_back(file_.read(tensors_.at(index)));
    return result;
  }

 private:
  std::string attribute(const std::string& name) const {
    const auto found = attributes_.find(name);
    return found == attributes_.end() ? "" : found->second;
  }

  static bool looks_like_keras(const std::string& name) {
    const NamedPart part = split_name(name);
    return part.role == "kernel" || part.role == "W" || part.role.starts_with("vars/") ||
           name.ends_with(":0");
  }

  std::string module_of(const std::string& group) const {
    for (const SourceTensor& tensor : tensors_)
      if (("/" + tensor.name).find("/" + group + "/") != std::string::npos && !is_bookkeeping(tensor.name))
        return split_name(tensor.name).module;
    return group;
  }

  void find_layout() {
    const std::string file = shown_.substr(shown_.rfind('/') + 1);
    const auto says = [&](const char* word) { return file.find(word) != std::string::npos; };
    const bool th_order = says("th_dim_ordering");
    const bool th_kernels = says("th_kernels");
    if (th_order || th_kernels || says("tf_dim_ordering") || says("tf_kernels")) {
      file_layout_ = KernelLayout{th_order ? "oihw" : "hwio", th_kernels};
      file_reason_ = "by the file's name";
      return;
    }
    const std::string version = attribute("keras_version");
    const std::string backend = attribute("backend");
    const std::string& order = config_.dim_ordering();
    const bool keras_1 = version.starts_with("1.") || version.starts_with("0.") || !order.empty();
    if (keras_1 && order == "th" && backend == "tensorflow") {
      file_layout_ = KernelLayout{"oihw", false};
    } else if (keras_1 && order == "th" && backend == "theano") {
      file_layout_ = KernelLayout{"oihw", true};
    } else if (keras_1 && (order == "th" || (order.empty() && backend == "theano"))) {
      file_reason_ =
          "Keras 1 wrote the file in Theano's order of dimensions (th), and nothing says whether its kernels "
          "are turned by 180 degrees, as Theano's are; say layout: oihw-turned or oihw in the network's file";
    } else if (keras_1 && order.empty() && backend.empty()) {
      file_reason_ =
          "Keras " + printable(version) +
          " wrote the file, and nothing says whether in Theano's order of dimensions or TensorFlow's; " +
          say_layout;
    } else if (backend == "theano") {
      file_layout_ = KernelLayout{"hwio", true};  // Keras 2; Keras 1 with order tf
    }
    if (file_layout_) file_reason_ = "by the file's attributes";
  }

  std::string shown_;
  Hdf5File file_;
  std::vector<SourceTensor> tensors_;
  std::map<std::string, std::string> attributes_;
  KerasConfig config_;
  bool is_keras_ = false;
  std::optional<KernelLayout> file_layout_;
  std::string file_reason_;
};

}  // namespace

std::unique_ptr<TensorSource> open_hdf5(const std::string& path, const std::string& shown,
                                        const std::string& config) {
  return std::make_unique<Hdf5Source>(path, shown.empty() ? path : shown, config);
}

bool is_hdf5(const std::string& path) {
  const ByteFile file(path);
  for (std::uint64_t at = 0; at + signature.size() <= file.size(); at = at == 0 ? 512 : at * 2)
    if (file.read(at, signature.size(), "the signature") == signature) return true;
  return false;
}

}  // namespace gramflow
