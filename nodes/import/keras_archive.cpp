#include "nodes/import/keras_archive.h"

#include <fcntl.h>
#include <unistd.h>

#include "nodes/import/hdf5_file.h"
#include "nodes/import/zip_archive.h"

namespace gramflow {
namespace {

constexpr std::uint64_t longest_config = 8U << 20;

class KerasArchive final : public TensorSource {
 public:
  KerasArchive(const ByteFile& file, const std::string& scratch) {
    const ZipArchive archive(file);
    const int descriptor = ::open(scratch.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0) file.fail("cannot be unpacked: no folder for temporary files");
    try {
      archive.copy_to("model.weights.h5", descriptor);
    } catch (...) {
      ::close(descriptor);
      throw;
    }
    ::close(descriptor);
    const std::string config =
        archive.records().contains("config.json") ? archive.read("config.json", longest_config) : "";
    inner_ = open_hdf5(scratch, file.path(), config);
  }
  SourceFormat format() const override { return inner_->format(); }
  std::string format_text() const override { return "a Keras 3 file"; }
  const std::vector<SourceTensor>& tensors() const override { return inner_->tensors(); }
  SourceLayout layout(std::size_t index) const override { return inner_->layout(index); }
  LayerFacts facts(std::size_t index) const override { return inner_->facts(index); }
  std::optional<double> epsilon(const std::string& module) const override { return inner_->epsilon(module); }
  std::vector<std::vector<float>> read(const std::vector<std::size_t>& indices) const override {
    return inner_->read(indices);
  }

 private:
  std::unique_ptr<TensorSource> inner_;
};

}  // namespace

std::unique_ptr<TensorSource> open_keras_archive(const ByteFile& file, const std::string& scratch) {
  return std::make_unique<KerasArchive>(file, scratch);
}

}  // namespace gramflow
