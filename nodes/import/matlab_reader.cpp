// MatConvNet's networks are a cell of structs (layers), each with type, name and weights: {kernel, bias} in a
// cell, or filters and biases in old files. Kernels are height x width x in x out.
#include "nodes/import/matlab_reader.h"

#include <fmt/format.h>
#include <matio.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "framework/base/error.h"
#include "framework/base/printable.h"
#include "nodes/import/number_bytes.h"

namespace gramflow {
namespace {

constexpr std::size_t most_values = 100'000;
constexpr std::size_t most_elements = 1ULL << 28;
constexpr int deepest = 12;

struct MatCloser {
  void operator()(::mat_t* file) const { ::Mat_Close(file); }
  void operator()(::matvar_t* variable) const { ::Mat_VarFree(variable); }
};
using File = std::unique_ptr<::mat_t, MatCloser>;
using Variable = std::unique_ptr<::matvar_t, MatCloser>;

std::size_t count_of(const ::matvar_t& variable) {
  std::size_t count = 1;
  for (int i = 0; i < variable.rank; ++i)
    if (__builtin_mul_overflow(count, variable.dims[i], &count)) return SIZE_MAX;
  return count;
}

bool is_number(const ::matvar_t& variable) {
  return (variable.class_type == MAT_C_SINGLE || variable.class_type == MAT_C_DOUBLE) &&
         variable.isComplex == 0 && variable.rank >= 1 && variable.rank <= 8;
}

/// Of MatConvNet.
struct Layer {
  std::string name;
  std::string type;
  std::string kernel;  // the name of its tensor
  bool plain = true;   // stride and dilation of 1
  double padding = 0;  // -1: its sides differ
  double leak = 0;
};

}  // namespace

class MatlabFile::Walker {
 public:
  explicit Walker(std::string path) : path_(std::move(path)) {
    ::Mat_LogInitFunc("gramflow", [](int, char*) {});
    file_.reset(::Mat_Open(path_.c_str(), MAT_ACC_RDONLY));
    if (!file_) fail("is damaged: libmatio cannot open it");
  }

  void run() {
    // All, before numbers are read: that moves the file's position.
    while (Variable variable{::Mat_VarReadNextInfo(file_.get())}) {
      variables_.push_back(std::move(variable));
      if (variables_.size() > most_values) fail("holds more than any weights file");
    }
    for (const Variable& variable : variables_)
      walk(variable.get(), variable->name == nullptr ? "" : variable->name, 0);
    describe_layers();
  }

  std::vector<float> numbers(std::size_t index) const {
    const SourceTensor& tensor = contents.tensors.at(index);
    return from_column_major(read(arrays_[index], tensor.name), tensor.shape);
  }

  MatlabContents contents;

 private:
  [[noreturn]] void fail(const std::string& what) const { throw RunError(path_ + ": " + what); }

  void walk(::matvar_t* variable, const std::string& name, int depth) {
    const bool made_of_others =
        variable != nullptr && (variable->class_type == MAT_C_CELL || variable->class_type == MAT_C_STRUCT);
    if (variable == nullptr || (made_of_others && variable->data == nullptr && count_of(*variable) > 0))
      fail("libmatio reads only a part of it; in Python: scipy.io.savemat('plain.mat', scipy.io.loadmat('" +
           printable(path_) + "'), do_compression=False)");
    if (depth > deepest) return;
    if (++visited_ > most_values) fail("holds more than any weights file");
    if (variable->class_type == MAT_C_CELL) {
      const std::size_t count = count_of(*variable);
      if (count > most_values) fail("holds more than any weights file");
      for (std::size_t i = 0; i < count; ++i)
        walk(::Mat_VarGetCell(variable, static_cast<int>(i)), name + "." + std::to_string(i), depth + 1);
    } else if (variable->class_type == MAT_C_STRUCT) {
      const std::size_t count = count_of(*variable);
      if (count > most_values) fail("holds more than any weights file");
      for (std::size_t i = 0; i < count; ++i)
        walk_struct(variable, i, count == 1 ? name : name + "." + std::to_string(i), depth);
    } else if (is_number(*variable)) {
      add(variable, name);
    }
  }

  static ::matvar_t* field(::matvar_t* variable, const char* name, std::size_t index) {
    return ::Mat_VarGetStructFieldByName(variable, name, index);
  }

  void walk_struct(::matvar_t* variable, std::size_t index, const std::string& name, int depth) {
    const std::string type = text(field(variable, "type", index));
    const std::string its_name = text(field(variable, "name", index));
    if (!type.empty()) return walk_layer(variable, index, type, its_name.empty() ? name : its_name, depth);
    const unsigned fields = ::Mat_VarGetNumberOfFields(variable);
    char* const* names = ::Mat_VarGetStructFieldnames(variable);
    for (unsigned f = 0; f < fields && names != nullptr; ++f) {
      const std::string key = names[f] == nullptr ? "" : names[f];
      ::matvar_t* value = ::Mat_VarGetStructFieldByIndex(variable, f, index);
      if (value == nullptr) continue;
      if (key == "averageImage") read_mean(value);
      walk(value, name.empty() ? key : name + "." + key, depth + 1);
    }
  }

  void walk_layer(::matvar_t* variable, std::size_t index, const std::string& type, const std::string& name,
                  int depth) {
    contents.texts["matconvnet"] = "yes";
    Layer layer;
    layer.name = name;
    layer.type = type;
    static constexpr const char* parts[] = {".weight", ".bias", ".moments"};
    const auto part = [&](::matvar_t* value, std::size_t which) {
      if (value == nullptr || !is_number(*value)) return;
      if (which == 0) layer.kernel = name + parts[0];
      add(value, name + parts[which], which == 0 && type == "conv");
    };
    if (::matvar_t* weights = field(variable, "weights", index);
        weights != nullptr && weights->class_type == MAT_C_CELL)
      for (std::size_t i = 0; i < std::min<std::size_t>(count_of(*weights), 3); ++i)
        part(::Mat_VarGetCell(weights, static_cast<int>(i)), i);
    part(field(variable, "filters", index), 0);
    part(field(variable, "biases", index), 1);
    for (const char* key : {"stride", "dilate"})
      for (const double number : small(field(variable, key, index))) layer.plain = layer.plain && number == 1;
    const std::vector<double> pads = small(field(variable, "pad", index));
    for (const double pad : pads) layer.padding = pad == pads[0] && pad >= 0 && pad < 100 ? pad : -1;
    for (const double number : small(field(variable, "leak", index))) layer.leak = number;
    layers_.push_back(layer);
    static_cast<void>(depth);
  }

  void add(::matvar_t* variable, const std::string& name, bool kernel = false) {
    SourceTensor tensor{name, variable->class_type == MAT_C_SINGLE ? "F32" : "F64", {}};
    for (int i = 0; i < variable->rank; ++i)
      tensor.shape.push_back(static_cast<std::int64_t>(variable->dims[i]));
    // MATLAB drops sides of 1 at the end.
    while (kernel && tensor.shape.size() < 4) tensor.shape.push_back(1);
    contents.tensors.push_back(std::move(tensor));
    arrays_.push_back(variable);
  }

  std::vector<float> read(::matvar_t* variable, const std::string& name) const {
    const std::size_t count = count_of(*variable);
    if (count > most_elements) fail("array '" + printable(name) + "' is larger than any of a VGG's");
    const std::size_t size = variable->class_type == MAT_C_SINGLE ? 4 : 8;
    std::string bytes(count * size, '\0');
    // As one line: libmatio 1.5.23 gives wrong numbers for parts of arrays of four sides.
    if (count > 0 &&
        ::Mat_VarReadDataLinear(file_.get(), variable, bytes.data(), 0, 1, static_cast<int>(count)) != 0)
      fail("array '" + printable(name) + "' is damaged: its numbers cannot be read");
    return numbers_from_bytes(bytes, size == 4 ? "F32" : "F64");
  }

  /// A text of at most 200 letters; "" for anything else.
  std::string text(::matvar_t* variable) {
    if (variable == nullptr || variable->class_type != MAT_C_CHAR || variable->rank != 2) return "";
    const std::size_t count = count_of(*variable);
    if (count == 0 || count > 200) return "";
    if (variable->data == nullptr && ::Mat_VarReadDataAll(file_.get(), variable) != 0) return "";
    if (variable->data == nullptr) return "";
    std::string result;
    for (std::size_t i = 0; i < count; ++i) {
      const auto* bytes = static_cast<const unsigned char*>(variable->data);
      const bool wide = variable->data_type == MAT_T_UINT16 || variable->data_type == MAT_T_UTF16;
      if (wide && (i + 1) * 2 > variable->nbytes) break;
      if (!wide && i + 1 > variable->nbytes) break;
      result.push_back(static_cast<char>(wide ? bytes[2 * i] : bytes[i]));
    }
    return result;
  }

  /// At most 16 numbers.
  std::vector<double> small(::matvar_t* variable) {
    if (variable == nullptr || !is_number(*variable) || count_of(*variable) > 16) return {};
    const std::vector<float> values = read(variable, "");
    return {values.begin(), values.end()};
  }

  /// One colour, or one for each pixel.
  void read_mean(::matvar_t* variable) {
    if (variable == nullptr || !is_number(*variable)) return;
    const std::size_t count = count_of(*variable);
    if (count < 3 || count % 3 != 0 || count > (1U << 22) || variable->dims[variable->rank - 1] != 3) {
      if (count != 3) return;
    }
    const std::vector<float> values = read(variable, "averageImage");
    std::string mean;
    for (std::size_t c = 0; c < 3; ++c) {
      double sum = 0;
      for (std::size_t i = 0; i < count / 3; ++i) sum += values[c * (count / 3) + i];
      mean += fmt::format("{}{}", c == 0 ? "" : " ", sum / static_cast<double>(count / 3));
    }
    contents.texts["mean"] = mean;
  }

  void describe_layers() {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      if (layer.type != "conv" || layer.kernel.empty()) continue;
      std::string trouble;
      if (!layer.plain) trouble = "has a stride or dilation";
      if (layer.padding < 0) trouble = "pads its sides differently";
      for (std::size_t next = i + 1; next < layers_.size() && next < i + 4; ++next) {
        const std::string& type = layers_[next].type;
        if (type == "relu" && layers_[next].leak == 0) continue;
        if (type == "dropout") continue;
        if (type != "conv" && type != "pool" && type != "softmax" && type != "softmaxloss" && type != "loss")
          trouble = fmt::format("is followed by a layer of the type '{}'",
                                type == "relu" ? "leaky relu" : printable(type));
        break;
      }
      contents.texts["padding " + layer.kernel] = fmt::format("{}", layer.padding);
      if (!trouble.empty()) contents.texts["trouble " + layer.kernel] = trouble;
    }
  }

  std::string path_;
  File file_;
  std::vector<Variable> variables_;  // of file_, so they go first
  std::vector<::matvar_t*> arrays_;  // in variables_, one a tensor
  std::vector<Layer> layers_;
  std::size_t visited_ = 0;
};

MatlabFile::MatlabFile(const std::string& path) : walker_(std::make_unique<Walker>(path)) { walker_->run(); }

MatlabFile::~MatlabFile() = default;

const MatlabContents& MatlabFile::contents() const { return walker_->contents; }

std::vector<float> MatlabFile::read(std::size_t index) const { return walker_->numbers(index); }

}  // namespace gramflow
