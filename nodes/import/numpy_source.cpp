// An array is a line of text (a Python dict of its type, order and shape) and its numbers after it. An array
// of objects has a pickle after it instead; arrays in there are calls of numpy's _reconstruct whose state is
// (version, shape, type, order, bytes).
#include "nodes/import/numpy_source.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <set>

#include "framework/base/error.h"
#include "framework/base/printable.h"
#include "nodes/import/number_bytes.h"
#include "nodes/import/pickle.h"
#include "nodes/import/tensor_names.h"
#include "nodes/import/torch_state.h"
#include "nodes/import/zip_archive.h"

namespace gramflow {
namespace {

constexpr std::uint64_t longest_header = 64U << 10;
constexpr std::uint64_t most_elements = 1ULL << 28;
constexpr std::size_t most_tensors = 20'000;
constexpr std::string_view magic = "\x93NUMPY";

struct Header {
  std::string type;  ///< "F32"; "object"
  bool big_endian = false;
  bool column_major = false;
  std::vector<std::int64_t> shape;
  std::uint64_t size = 0;  ///< of everything before the numbers
};

/// "<f4" as "F32" and the order of bytes.
void set_type(std::string_view text, std::string& type, bool& big_endian) {
  if (!text.empty() && std::string_view("<>|=").find(text[0]) != std::string_view::npos) {
    big_endian = text[0] == '>';
    text.remove_prefix(1);
  }
  type = text == "f2"   ? "F16"
         : text == "f4" ? "F32"
         : text == "f8" ? "F64"
         : text == "O"  ? "object"
                        : "type " + printable(text, 20);
}

/// The text behind 'key': in the header's dict, up to what ends a simple value.
std::string_view value_of(std::string_view header, std::string_view key) {
  const std::size_t at = header.find(key);
  if (at == std::string_view::npos) return {};
  std::size_t begin = header.find(':', at);
  if (begin == std::string_view::npos) return {};
  begin = header.find_first_not_of(" ", begin + 1);
  if (begin == std::string_view::npos) return {};
  const char end = header[begin] == '(' ? ')' : header[begin] == '\'' ? '\'' : ',';
  const std::size_t stop = header.find(end, begin + 1);
  return stop == std::string_view::npos ? std::string_view{} : header.substr(begin, stop - begin);
}

/// nullopt for what is no header; `bytes` is the file's beginning.
std::optional<Header> parse_header(std::string_view bytes) {
  if (bytes.size() < 12 || !bytes.starts_with(magic)) return std::nullopt;
  const auto byte = [&](std::size_t at) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[at]));
  };
  const bool old = byte(6) == 1;
  const std::uint64_t length = byte(8) | byte(9) << 8 | (old ? 0 : byte(10) << 16 | byte(11) << 24);
  Header header;
  header.size = (old ? 10 : 12) + length;
  if (header.size > bytes.size()) return std::nullopt;
  const std::string_view text = bytes.substr(old ? 10 : 12, length);
  const std::string_view type = value_of(text, "'descr'");
  if (type.size() < 2 || type[0] != '\'') return std::nullopt;
  set_type(type.substr(1), header.type, header.big_endian);
  header.column_major = value_of(text, "'fortran_order'").starts_with("True");
  std::string_view shape = value_of(text, "'shape'");
  if (!shape.starts_with("(")) return std::nullopt;
  for (shape.remove_prefix(1); !shape.empty();) {
    if (shape[0] == ' ' || shape[0] == ',' || shape[0] == 'L') {
      shape.remove_prefix(1);
      continue;
    }
    std::int64_t side = 0;
    const auto [end, problem] = std::from_chars(shape.data(), shape.data() + shape.size(), side);
    if (problem != std::errc{} || side < 0 || header.shape.size() == 8) return std::nullopt;
    header.shape.push_back(side);
    shape.remove_prefix(static_cast<std::size_t>(end - shape.data()));
  }
  return header;
}

/// Python 2 wrote bytes as text, which Python 3 writes as the call of _codecs.encode(text, "latin1").
std::string from_latin1(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto first = static_cast<unsigned char>(text[i]);
    if (first < 0x80) {
      bytes.push_back(static_cast<char>(first));
    } else if (i + 1 < text.size()) {
      bytes.push_back(
          static_cast<char>((first & 0x03U) << 6 | (static_cast<unsigned char>(text[i + 1]) & 0x3FU)));
      ++i;
    }
  }
  return bytes;
}

/// The file in memory as far as it is touched.
class MappedFile {
 public:
  explicit MappedFile(const ByteFile& file) : size_(file.size()) {
    if (size_ == 0) return;
    bytes_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.descriptor(), 0);
    if (bytes_ == MAP_FAILED) file.fail("cannot be read");
  }
  ~MappedFile() {
    if (size_ > 0) ::munmap(bytes_, size_);
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::string_view bytes() const { return {static_cast<const char*>(bytes_), size_}; }

 private:
  void* bytes_ = nullptr;
  std::size_t size_;
};

class NumpySource final : public TensorSource {
 public:
  explicit NumpySource(std::unique_ptr<ByteFile> file) : file_(std::move(file)) {}

  SourceFormat format() const override { return SourceFormat::numpy; }
  std::string format_text() const override { return text_; }
  const std::vector<SourceTensor>& tensors() const override { return listed_; }

  SourceLayout layout(std::size_t index) const override {
    const SourceTensor& tensor = listed_.at(index);
    const std::vector<std::int64_t>& shape = tensor.shape;
    const bool one_side = shape.size() == 4 && std::count(shape.begin(), shape.end(), shape[0]) == 4;
    const std::string role = split_name(clean_name(tensor.name)).role;
    if (!one_side && role == "weight") return {KernelLayout{}, "by its name"};
    if (!one_side &&
        (role == "W" || role == "0" || role == "weights" || role == "kernel" || role == "filters"))
      return {KernelLayout{"hwio", false}, "by its name"};
    return {std::nullopt,
            "numpy does not say in what order the numbers of a kernel lie; say layout: hwio (TensorFlow, "
            "Keras) or oihw "
            "(PyTorch, Caffe) in the network's file"};
  }

  std::vector<std::vector<float>> read(const std::vector<std::size_t>& indices) const override {
    std::vector<std::vector<float>> result;
    for (const std::size_t index : indices) result.push_back(read_one(index));
    return result;
  }

  void open_npy() {
    text_ = "a numpy file";
    const std::string head = file_->read(0, std::min(file_->size(), longest_header), "its head");
    const std::optional<Header> header = parse_header(head);
    if (!header) file_->fail("is damaged: its numpy header cannot be understood");
    if (header->type != "object") {
      add("array", *header, header->size, "");
      return;
    }
    text_ = "a pickled dictionary of numpy";
    const MappedFile mapped(*file_);
    read_pickle(mapped.bytes(), header->size, "");
  }

  void open_npz() {
    text_ = "a numpy archive";
    archive_ = std::make_unique<ZipArchive>(*file_);
    for (const auto& [name, record] : archive_->records()) {
      if (!name.ends_with(".npy")) continue;
      const std::optional<Header> header = parse_header(archive_->read_begin(name, longest_header));
      if (!header) file_->fail("record '" + printable(name) + "' is no numpy array");
      const std::string plain = name.substr(0, name.size() - 4);
      if (header->type == "object") continue;  // an array of objects in an archive of arrays is no kernel
      add(plain, *header, header->size, name);
    }
    if (listed_.empty()) file_->fail("holds no arrays of numbers");
  }

 private:
  struct Place {
    std::string record;  // of the archive; "" for the file itself
    std::uint64_t offset = 0;
    std::uint64_t size = 0;  // bytes, of a pickle's
    bool big_endian = false;
    bool column_major = false;
    bool latin1 = false;
  };

  void add(const std::string& name, const Header& header, std::uint64_t offset, const std::string& record) {
    if (listed_.size() >= most_tensors) file_->fail("holds more than any weights file");
    listed_.push_back({name, header.type, header.shape});
    places_.push_back({record, offset, 0, header.big_endian, header.column_major, false});
  }

  // --- pickles ---------------------------------------------------------------------------------------------
  void read_pickle(std::string_view bytes, std::uint64_t begin, const std::string& name) {
    try {
      const Pickle pickle(bytes, begin);
      check_globals(pickle);
      base_ = bytes.data();
      collect(pickle.root(), name, 0);
    } catch (const PickleError& problem) {
      file_->fail(problem.what());
    }
    if (listed_.empty()) file_->fail("holds no arrays of numbers");
  }

  static bool is_array(const PickleValue& value) {
    return value.is_call("numpy.core.multiarray _reconstruct") ||
           value.is_call("numpy._core.multiarray _reconstruct");
  }

  void collect(const PickleValue& value, const std::string& name, int depth) {
    using Kind = PickleValue::Kind;
    if (depth > 20 || ++visited_ > 1'000'000) return;
    const auto below = [&](std::string_view part) {
      return name.empty() ? std::string(part) : name + "." + std::string(part);
    };
    if (is_array(value)) return add_array(value, name, depth);
    if (value.kind == Kind::map || value.is_call("collections OrderedDict")) {
      for (const auto& [key, item] : value.entries)
        if (key->kind == Kind::text) collect(*item, below(key->text), depth + 1);
    } else if (value.kind == Kind::list) {
      for (std::size_t i = 0; i < value.items.size() && i < 10'000; ++i)
        collect(*value.items[i], below(std::to_string(i)), depth + 1);
    }
  }

  void add_array(const PickleValue& call, const std::string& name, int depth) {
    using Kind = PickleValue::Kind;
    const PickleValue* state = call.state;
    if (state == nullptr || state->kind != Kind::list || state->items.size() < 5) return;
    const PickleValue& numbers = *state->items[4];
    const PickleValue& type = *state->items[2];
    if (numbers.kind == Kind::list) {  // an array of objects: the dictionary itself is one
      for (std::size_t i = 0; i < numbers.items.size() && i < 10'000; ++i)
        collect(*numbers.items[i],
                numbers.items.size() == 1 ? name : name + (name.empty() ? "" : ".") + std::to_string(i),
                depth + 1);
      return;
    }
    if (!type.is_call("numpy dtype") || type.items.size() < 2) return;
    Header header;
    set_type(type.items[1]->text, header.type, header.big_endian);
    if (type.state != nullptr && type.state->kind == Kind::list && type.state->items.size() > 1)
      header.big_endian = type.state->items[1]->text == ">";
    for (const PickleValue* side : state->items[1]->items) {
      if (side->kind != Kind::integer || side->integer < 0 || header.shape.size() == 8) return;
      header.shape.push_back(side->integer);
    }
    header.column_major = state->items[3]->integer != 0;
    const bool encoded = numbers.is_call("_codecs encode") && numbers.items.size() > 1;
    const std::string_view bytes = encoded ? numbers.items[1]->text : numbers.text;
    if (bytes.empty()) return;
    add(name.empty() ? "array" : name, header, static_cast<std::uint64_t>(bytes.data() - base_), "");
    places_.back().size = bytes.size();
    places_.back().latin1 = encoded;
  }

  std::vector<float> read_one(std::size_t index) const {
    const SourceTensor& tensor = listed_.at(index);
    const Place& place = places_.at(index);
    const std::string shown = "array '" + printable(tensor.name) + "'";
    const std::size_t size = number_size(tensor.type);
    if (size == 0) file_->fail(shown + " is of " + tensor.type + ", which holds no real numbers");
    std::uint64_t count = 1;
    for (const std::int64_t side : tensor.shape)
      if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(side), &count) || count > most_elements)
        file_->fail(shown + " is larger than any of a VGG's");
    std::string bytes;
    if (!place.record.empty()) {
      bytes = archive_->read(place.record, place.offset + count * size);
      if (bytes.size() < place.offset) file_->fail(shown + " is damaged");
      bytes.erase(0, place.offset);
    } else {
      bytes = file_->read(place.offset, place.size > 0 ? place.size : count * size, shown);
      if (place.latin1) bytes = from_latin1(bytes);
    }
    if (bytes.size() != count * size)
      file_->fail(fmt::format("{} has {} bytes where its shape wants {}", shown, bytes.size(), count * size));
    std::vector<float> values = numbers_from_bytes(bytes, tensor.type, place.big_endian);
    return place.column_major ? from_column_major(values, tensor.shape) : values;
  }

  std::unique_ptr<ByteFile> file_;
  std::unique_ptr<ZipArchive> archive_;
  std::string text_;
  std::vector<SourceTensor> listed_;
  std::vector<Place> places_;
  const char* base_ = nullptr;
  std::size_t visited_ = 0;
};

}  // namespace

std::unique_ptr<TensorSource> open_npy(std::unique_ptr<ByteFile> file) {
  auto source = std::make_unique<NumpySource>(std::move(file));
  source->open_npy();
  return source;
}

std::unique_ptr<TensorSource> open_npz(std::unique_ptr<ByteFile> file) {
  auto source = std::make_unique<NumpySource>(std::move(file));
  source->open_npz();
  return source;
}

}  // namespace gramflow
