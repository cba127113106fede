// Both formats hold one pickle that describes the tensors, and the storages' bytes outside of it. In a ZIP
// archive each storage is a record data/KEY. In the legacy format the storages follow the pickles one after
// the other, in the order of a list of keys, each with its count of elements in front.
#include "nodes/import/torch_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "framework/base/error.h"
#include "framework/base/printable.h"
#include "nodes/import/torch_state.h"
#include "nodes/import/zip_archive.h"
#include "nodes/weights/half.h"

namespace gramflow {
namespace {

constexpr std::uint64_t longest_pickle = 64U << 20;
constexpr std::uint64_t largest_storage = 1ULL << 30;
constexpr std::uint64_t most_elements = 1ULL << 28;

/// Where a storage's bytes lie.
struct Place {
  std::uint64_t offset = 0;
  std::string record;  ///< of the ZIP archive; its checksum is verified before use
};

double number_at(const char* bytes, const std::string& type) {
  if (type == "F64") {
    double value = 0;
    std::memcpy(&value, bytes, 8);
    return value;
  }
  if (type == "F32") {
    float value = 0;
    std::memcpy(&value, bytes, 4);
    return value;
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, bytes, 2);
  return type == "F16" ? float_from_half(bits) : float_from_bfloat(bits);
}

class TorchSource final : public TensorSource {
 public:
  TorchSource(std::unique_ptr<ByteFile> file, std::string text)
      : file_(std::move(file)), text_(std::move(text)) {}

  SourceFormat format() const override { return SourceFormat::pytorch; }
  std::string format_text() const override { return text_; }
  const std::vector<SourceTensor>& tensors() const override { return listed_; }

  std::vector<std::vector<float>> read(const std::vector<std::size_t>& indices) const override {
    std::vector<std::vector<float>> result;
    std::map<std::string, bool> verified;
    for (const std::size_t index : indices) {
      const TorchTensor& tensor = state_.tensors.at(index);
      const Place& place = places_.at(tensor.storage);
      const TorchStorage& storage = state_.storages.at(tensor.storage);
      if (storage.elements * storage.element_bytes > largest_storage)
        file_->fail("tensor '" + printable(tensor.name) + "' lies in a storage larger than any of a VGG's");
      if (!place.record.empty() && !verified[place.record]) {
        archive_->verify(place.record);
        verified[place.record] = true;
      }
      result.push_back(read_one(tensor, storage, place));
    }
    return result;
  }

  /// Takes what the pickle says, in the words of this file.
  void describe(const Pickle& pickle) {
    state_ = read_torch_state(pickle);
    for (const TorchTensor& tensor : state_.tensors)
      listed_.push_back({tensor.name, state_.storages.at(tensor.storage).type, tensor.shape});
  }

  void open_zip();
  void open_legacy();

 private:
  std::vector<float> read_one(const TorchTensor& tensor, const TorchStorage& storage,
                              const Place& place) const {
    const std::string shown = "tensor '" + printable(tensor.name) + "'";
    if (storage.type[0] != 'F' && storage.type != "BF16")
      file_->fail(shown + " is of type " + storage.type + ", which holds no real numbers");
    std::uint64_t count = 1;
    for (const std::int64_t side : tensor.shape) {
      if (side != 0 && count > most_elements / static_cast<std::uint64_t>(side))
        file_->fail(shown + " is larger than any of a VGG's");
      count *= static_cast<std::uint64_t>(side);
    }
    if (count == 0) return {};
    const std::string bytes = file_->read(place.offset + tensor.offset * storage.element_bytes,
                                          tensor.reach * storage.element_bytes, shown);
    std::vector<float> values;
    values.reserve(count);
    std::vector<std::int64_t> index(tensor.shape.size(), 0);
    for (std::uint64_t i = 0; i < count; ++i) {
      std::int64_t at = 0;
      for (std::size_t side = 0; side < index.size(); ++side) at += index[side] * tensor.strides[side];
      values.push_back(static_cast<float>(
          number_at(bytes.data() + static_cast<std::uint64_t>(at) * storage.element_bytes, storage.type)));
      for (std::size_t side = index.size(); side-- > 0;) {
        if (++index[side] < tensor.shape[side]) break;
        index[side] = 0;
      }
    }
    return values;
  }

  [[noreturn]] void storage_fails(const std::string& key, const std::string& what) const {
    file_->fail("storage '" + printable(key) + "' " + what);
  }

  std::unique_ptr<ByteFile> file_;
  std::string text_;
  std::unique_ptr<ZipArchive> archive_;
  TorchState state_;
  std::vector<SourceTensor> listed_;
  std::map<std::string, Place> places_;
};

void TorchSource::open_zip() {
  archive_ = std::make_unique<ZipArchive>(*file_);
  std::string folder;
  for (const auto& [name, record] : archive_->records())
    if (name.ends_with("/data.pkl") && name.find('/') == name.size() - 9)
      folder = name.substr(0, name.size() - 8);
  const auto is_code = [](const auto& record) {
    return record.first.ends_with("/constants.pkl") ||
           record.first.find("/code/__torch__") != std::string::npos;
  };
  if (std::any_of(archive_->records().begin(), archive_->records().end(), is_code))
    file_->fail(
        "is a TorchScript program, not a state dict; in Python:\n  import torch; "
        "torch.save(torch.jit.load('" +
        printable(file_->path()) + "', 'cpu').state_dict(), 'weights.pth')");
  if (folder.empty()) file_->fail("is a ZIP archive, but not one of torch.save: it has no data.pkl");
  if (archive_->records().contains(folder + "byteorder") &&
      archive_->read(folder + "byteorder", 16) != "little")
    file_->fail("was saved on a big-endian machine, which is not supported");
  archive_->find_stored(folder + "data.pkl");
  const std::string bytes = archive_->read(folder + "data.pkl", longest_pickle);
  describe(Pickle(bytes, 0));
  for (const auto& [key, storage] : state_.storages) {
    const std::string name = folder + "data/" + key;
    if (!archive_->records().contains(name)) storage_fails(key, "is not in the archive");
    const ZipRecord& record = archive_->find_stored(name);
    if (record.size / storage.element_bytes < storage.elements)
      storage_fails(
          key, fmt::format("should hold {} numbers, but has only {} bytes", storage.elements, record.size));
    places_[key] = {record.offset, name};
  }
}

void TorchSource::open_legacy() {
  const std::string head = file_->read(0, std::min(file_->size(), longest_pickle), "the file's head");
  const Pickle magic(head, 0);
  const Pickle protocol(head, magic.end());
  const Pickle system(head, protocol.end());
  if (protocol.root().kind != PickleValue::Kind::integer || protocol.root().integer != 1001)
    file_->fail("is a PyTorch file of an unknown version");
  for (const auto& [key, value] : system.root().entries)
    if (key->text == "little_endian" && value->integer == 0)
      file_->fail("was saved on a big-endian machine, which is not supported");
  const Pickle dict(head, system.end());
  describe(dict);
  const Pickle keys(head, dict.end());
  std::uint64_t at = keys.end();
  for (const PickleValue* item : keys.root().items) {
    const std::string key(item->text);
    const auto known = state_.storages.find(key);
    if (known == state_.storages.end()) storage_fails(key, "belongs to no tensor");
    const std::uint64_t count = little_endian(file_->read(at, 8, "the size of a storage"), 0, 8);
    if (count != known->second.elements)
      storage_fails(key, fmt::format("should hold {} numbers, found {}", known->second.elements, count));
    at += 8;
    if (count > (file_->size() - at) / known->second.element_bytes)
      storage_fails(key, "reaches beyond the end of the file; it is truncated");
    if (!places_.emplace(key, Place{at, ""}).second) storage_fails(key, "is there twice");
    at += count * known->second.element_bytes;
  }
  for (const auto& [key, storage] : state_.storages)
    if (!places_.contains(key)) storage_fails(key, "is not in the file");
}

/// Messages say FILE where they show what to type.
std::string with_file_name(std::string text, const std::string& path) {
  for (std::size_t at = text.find("FILE"); at != std::string::npos; at = text.find("FILE", at + 1))
    text.replace(at, 4, printable(path));
  return text;
}

std::unique_ptr<TensorSource> open_with(std::unique_ptr<ByteFile> file, const char* text,
                                        void (TorchSource::*open)()) {
  const std::string path = file->path();
  auto source = std::make_unique<TorchSource>(std::move(file), text);
  try {
    (source.get()->*open)();
  } catch (const PickleError& problem) {
    throw RunError(path + ": " + with_file_name(problem.what(), path));
  }
  return source;
}

}  // namespace

std::unique_ptr<TensorSource> open_torch_zip(std::unique_ptr<ByteFile> file) {
  return open_with(std::move(file), "a PyTorch state dict (ZIP format)", &TorchSource::open_zip);
}

std::unique_ptr<TensorSource> open_torch_legacy(std::unique_ptr<ByteFile> file) {
  return open_with(std::move(file), "a PyTorch state dict (legacy format)", &TorchSource::open_legacy);
}

}  // namespace gramflow
