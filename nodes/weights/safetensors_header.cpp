// The JSON library calls a handler for each thing it meets, which is quicker and smaller than building a
// document and looks at every key, so that a name given twice is noticed. Depth 1 is the names, depth 2 a
// tensor's keys (or the metadata), depth 3 the numbers of a shape.
#include "nodes/weights/safetensors_header.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "framework/base/error.h"
#include "framework/base/printable.h"

namespace gramflow {
namespace {

using Json = nlohmann::json;

constexpr std::size_t most_dimensions = 8;
constexpr std::string_view metadata_name = "__metadata__";

class HeaderHandler {
 public:
  HeaderHandler(SafetensorsHeader& header, const std::string& path) : header_(header), path_(path) {}

  // NOLINTBEGIN: the names are the library's
  bool null() { return other("null"); }
  bool boolean(bool value) { return other(value ? "true" : "false"); }
  bool number_integer(std::int64_t value) { return other(std::to_string(value)); }
  bool number_float(double, const std::string& text) { return other(text); }
  bool binary(Json::binary_t&) { return other("bytes"); }
  bool number_unsigned(std::uint64_t value) {
    if (depth_ != 3) return other(std::to_string(value));
    if (numbers_ == nullptr) return true;
    if (numbers_->size() == most_dimensions)
      fail(fmt::format("tensor {} has more than {} dimensions", shown_name(name_), most_dimensions));
    numbers_->push_back(value);
    return true;
  }
  bool string(std::string& value) {
    if (depth_ == 2 && in_metadata()) {
      header_.metadata[key_] = value;
      return true;
    }
    if (depth_ != 2 || key_ != "dtype") return other(shown_name(value));
    tensor_->type = value;
    return true;
  }
  bool start_object(std::size_t) {
    if (depth_ == 1 && !in_metadata()) tensor_ = &header_.tensors[name_];
    if (depth_ >= 2) open_value("{");
    keys_.clear();
    ++depth_;
    return true;
  }
  bool end_object() {
    --depth_;
    if (depth_ == 1 && !in_metadata() &&
        (tensor_->type.empty() || !keys_.contains("shape") || tensor_->offsets.size() != 2))
      improper();
    return true;
  }
  bool start_array(std::size_t) {
    if (depth_ == 0) fail("the header is no JSON object; the file is damaged or no safetensors file");
    open_value("[");
    numbers_ = key_ == "shape" ? &tensor_->shape : key_ == "data_offsets" ? &tensor_->offsets : nullptr;
    ++depth_;
    return true;
  }
  bool end_array() {
    --depth_;
    numbers_ = nullptr;
    return true;
  }
  bool key(std::string& value) {
    if (!(depth_ == 1 ? names_ : keys_).insert(value).second)
      fail("the header names " + shown_name(value) + " twice");
    (depth_ == 1 ? name_ : key_) = value;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) {
    fail("the header is no valid JSON; the file is damaged or no safetensors file");
  }
  // NOLINTEND

 private:
  [[noreturn]] void fail(const std::string& what) const { throw RunError(path_ + ": " + what); }
  [[noreturn]] void improper() const {
    fail("tensor " + shown_name(name_) + " has no proper dtype, shape and data_offsets");
  }
  bool in_metadata() const { return name_ == metadata_name; }

  /// A value that is not what its place takes.
  bool other(const std::string& found) {
    if (depth_ == 0) fail("the header is no JSON object; the file is damaged or no safetensors file");
    if (in_metadata())
      fail(depth_ == 1 ? "its metadata is no map of texts"
                       : "its metadata " + shown_name(key_) + " is no text");
    if (depth_ == 3 && numbers_ != nullptr)
      fail(fmt::format("tensor {}: {} takes whole numbers from 0 on, found {}", shown_name(name_),
                       key_ == "shape" ? "its shape" : "data_offsets", found));
    if (depth_ == 1 || key_ == "dtype" || key_ == "shape" || key_ == "data_offsets") improper();
    return true;  // a key that nobody knows
  }

  /// A list or map as a value: only the two lists of a tensor are known.
  void open_value(const char* found) {
    if (depth_ >= 3) fail("the header nests deeper than any safetensors header does");
    const bool list = found[0] == '[';
    if (depth_ == 1 || in_metadata() || key_ == "dtype" ||
        (!list && (key_ == "shape" || key_ == "data_offsets")))
      other(found);
  }

  SafetensorsHeader& header_;
  const std::string& path_;
  int depth_ = 0;
  std::set<std::string> names_;
  std::set<std::string> keys_;
  std::string name_;
  std::string key_;
  SafetensorsHeader::Tensor* tensor_ = nullptr;
  std::vector<std::uint64_t>* numbers_ = nullptr;
};

}  // namespace

std::string shown_name(std::string_view name) { return "'" + printable(name) + "'"; }

SafetensorsHeader parse_safetensors_header(const std::string& text, const std::string& path) {
  SafetensorsHeader header;
  HeaderHandler handler(header, path);
  Json::sax_parse(text, &handler);
  return header;
}

}  // namespace gramflow
