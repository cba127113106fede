#include "nodes/features/import/keras_archive.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "nodes/features/import/hdf5_file.h"
#include "nodes/features/import/zip_archive.h"

namespace gramflow {
namespace {

constexpr std::uint64_t longest_config = 8U << 20;

/// A temporary file that goes with its object. It has a name, because the HDF5 library looks it up.
class TemporaryFile {
 public:
  TemporaryFile() {
    std::error_code ignored;
    path_ = (std::filesystem::temp_directory_path(ignored) / "gramflow-XXXXXX").string();
    descriptor_ = ::mkostemp(path_.data(), O_CLOEXEC);
  }
  ~TemporaryFile() {
    if (descriptor_ < 0) return;
    ::unlink(path_.c_str());
    ::close(descriptor_);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  int descriptor() const { return descriptor_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int descriptor_ = -1;
};

class KerasArchive final : public TensorSource {
 public:
  explicit KerasArchive(const ByteFile& file) {
    const ZipArchive archive(file);
    if (unpacked_.descriptor() < 0) file.fail("cannot be unpacked: no folder for temporary files");
    archive.copy_to("model.weights.h5", unpacked_.descriptor());
    const std::string config =
        archive.records().contains("config.json") ? archive.read("config.json", longest_config) : "";
    inner_ = open_hdf5(unpacked_.path(), file.path(), config);
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
  TemporaryFile unpacked_;
  std::unique_ptr<TensorSource> inner_;
};

}  // namespace

std::unique_ptr<TensorSource> open_keras_archive(const ByteFile& file) {
  return std::make_unique<KerasArchive>(file);
}

}  // namespace gramflow
