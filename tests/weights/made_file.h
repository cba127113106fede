#pragma once
// Named tensors, written in any format under the same names.
#include <map>
#include <string>
#include <vector>

#include "nodes/import/import_weights.h"
#include "tests/weights/support.h"

namespace gramflow::test {

struct MadeTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// A file of tensors and a network file beside it, in a folder of their own.
class MadeFile {
 public:
  MadeFile();
  /// Numbers drawn at random; those of names with "var" are positive.
  void add(const std::string& name, const std::vector<std::int64_t>& shape);
  void add(const std::string& name, const std::vector<std::int64_t>& shape, std::vector<float> values);
  /// weight, bias, running_mean and running_var, or Keras's gamma, beta, moving_mean, moving_variance.
  void add_norm(const std::string& module, std::int64_t channels);
  void add_keras_norm(const std::string& module, std::int64_t channels);
  const std::vector<float>& values(const std::string& name) const;
  std::vector<MadeTensor>& tensors() { return tensors_; }

  void put_torch() const;
  void put_safetensors() const;
  void put_hdf5(const std::map<std::string, std::string>& attributes = {}, std::int64_t user_block = 0) const;
  /// The network in FOLDER/mine.yaml: convolutions of these layers (YAML lines), normalised RGB; more keys of
  /// the file in `keys`.
  void put_network(const std::string& layers, const std::string& keys = "");

  ImportReport import(ImportOptions options = {}) const;
  /// By mine.yaml, convention as the network says.
  ImportReport import_mine(const std::string& prefix = "?") const;
  std::string refused(const ImportOptions& options = {}) const;
  std::string refused_mine() const;
  std::vector<float> imported(const std::string& tensor) const;
  /// Largest difference from `expected`, relative to its largest number.
  double error_of(const std::string& tensor, const std::vector<double>& expected) const;

  TemporaryFolder folder;
  NetworkPaths paths;
  std::string file;
  std::string out;

 private:
  ImportOptions mine() const;
  std::vector<MadeTensor> tensors_;
  unsigned seed_ = 1;
};

/// What a convolution and the batch norm after it are together, in double.
struct Folded {
  std::vector<double> weight;
  std::vector<double> bias;
};
Folded folded(const std::vector<float>& weight, const std::vector<float>& bias,
              const std::vector<float>& scale, const std::vector<float>& shift,
              const std::vector<float>& mean, const std::vector<float>& variance, double epsilon);

std::vector<double> as_double(const std::vector<float>& values);
/// OIHW in another order of dimensions, turned by 180 degrees or not.
std::vector<float> reordered(const std::vector<float>& oihw, std::int64_t out, std::int64_t in,
                             std::int64_t side, const std::string& axes, bool turned);

}  // namespace gramflow::test
