#include "nodes/features/import/packed_listing.h"

#include "framework/base/error.h"
#include "nodes/features/import/byte_file.h"

namespace gramflow {
namespace {

void put_number(std::string& bytes, std::uint64_t number) {
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>((number >> (8 * i)) & 0xFFU));
}

void put_text(std::string& bytes, const std::string& text) {
  put_number(bytes, text.size());
  bytes += text;
}

class Unpacker {
 public:
  explicit Unpacker(const std::string& bytes) : bytes_(bytes) {}
  std::uint64_t number() {
    if (bytes_.size() - at_ < 8) broken();
    at_ += 8;
    return little_endian(bytes_, at_ - 8, 8);
  }
  std::string text() {
    const std::uint64_t size = number();
    if (size > bytes_.size() - at_) broken();
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  /// A count of things that take at least `least` bytes each.
  std::uint64_t count(std::uint64_t least) {
    const std::uint64_t value = number();
    if (value > (bytes_.size() - at_) / least) broken();
    return value;
  }

 private:
  [[noreturn]] static void broken() { throw RunError("the list of a file's contents is broken"); }
  const std::string& bytes_;
  std::size_t at_ = 0;
};

}  // namespace

std::string pack_listing(const Listing& listing) {
  std::string bytes;
  put_number(bytes, listing.tensors.size());
  for (const SourceTensor& tensor : listing.tensors) {
    put_text(bytes, tensor.name);
    put_text(bytes, tensor.type);
    put_number(bytes, tensor.shape.size());
    for (const std::int64_t side : tensor.shape) put_number(bytes, static_cast<std::uint64_t>(side));
  }
  put_number(bytes, listing.texts.size());
  for (const auto& [key, text] : listing.texts) {
    put_text(bytes, key);
    put_text(bytes, text);
  }
  return bytes;
}

Listing unpack_listing(const std::string& bytes) {
  Unpacker unpacker(bytes);
  Listing listing;
  listing.tensors.resize(unpacker.count(24));
  for (SourceTensor& tensor : listing.tensors) {
    tensor.name = unpacker.text();
    tensor.type = unpacker.text();
    tensor.shape.resize(unpacker.count(8));
    for (std::int64_t& side : tensor.shape) side = static_cast<std::int64_t>(unpacker.number());
  }
  const std::uint64_t texts = unpacker.count(16);
  for (std::uint64_t i = 0; i < texts; ++i) {
    const std::string key = unpacker.text();
    listing.texts[key] = unpacker.text();
  }
  return listing;
}

}  // namespace gramflow
