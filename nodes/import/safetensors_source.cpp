#include "nodes/import/safetensors_source.h"

#include "nodes/weights/safetensors.h"

namespace gramflow {
namespace {

class SafetensorsSource final : public TensorSource {
 public:
  explicit SafetensorsSource(const std::string& path) : file_(path) {
    for (const auto& [name, info] : file_.tensors()) listed_.push_back({name, info.type_name, info.shape});
  }
  SourceFormat format() const override { return SourceFormat::safetensors; }
  std::string format_text() const override { return "a safetensors file"; }
  const std::vector<SourceTensor>& tensors() const override { return listed_; }
  std::string metadata(const std::string& key) const override {
    const auto found = file_.metadata().find(key);
    return found == file_.metadata().end() ? "" : found->second;
  }
  std::vector<std::vector<float>> read(const std::vector<std::size_t>& indices) const override {
    std::vector<std::vector<float>> result;
    for (const std::size_t index : indices) result.push_back(file_.read(listed_.at(index).name));
    return result;
  }

 private:
  SafetensorsFile file_;
  std::vector<SourceTensor> listed_;
};

}  // namespace

std::unique_ptr<TensorSource> open_safetensors(const std::string& path) {
  return std::make_unique<SafetensorsSource>(path);
}

}  // namespace gramflow
