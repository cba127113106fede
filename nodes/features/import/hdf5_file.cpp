#include "nodes/features/import/hdf5_file.h"

#include <cstring>

#include "framework/base/error.h"
#include "nodes/features/import/byte_file.h"
#include "nodes/features/import/hdf5_reader.h"
#include "nodes/features/import/isolated.h"

namespace gramflow {
namespace {

constexpr std::uint64_t longest_message = 1U << 16;  // if there is an error instead of an answer

void put_number(std::string& bytes, std::uint64_t number) {
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>((number >> (8 * i)) & 0xFFU));
}

void put_text(std::string& bytes, const std::string& text) {
  put_number(bytes, text.size());
  bytes += text;
}

std::string pack(const std::vector<SourceTensor>& tensors) {
  std::string bytes;
  for (const SourceTensor& tensor : tensors) {
    put_text(bytes, tensor.name);
    put_text(bytes, tensor.type);
    put_number(bytes, tensor.shape.size());
    for (const std::int64_t side : tensor.shape) put_number(bytes, static_cast<std::uint64_t>(side));
  }
  return bytes;
}

std::vector<SourceTensor> unpack(const std::string& bytes) {
  std::vector<SourceTensor> tensors;
  std::size_t at = 0;
  const auto number = [&] {
    at += 8;
    return little_endian(bytes, at - 8, 8);
  };
  const auto text = [&] {
    const std::size_t size = number();
    at += size;
    return bytes.substr(at - size, size);
  };
  while (at < bytes.size()) {
    SourceTensor& tensor = tensors.emplace_back();
    tensor.name = text();
    tensor.type = text();
    tensor.shape.resize(number());
    for (std::int64_t& side : tensor.shape) side = static_cast<std::int64_t>(number());
  }
  return tensors;
}

class Hdf5Source final : public TensorSource {
 public:
  explicit Hdf5Source(const std::string& path) : path_(path) {
    const std::string listed = run_isolated([&] { return pack(list_hdf5(path_)); }, {}, gave_up());
    tensors_ = unpack(listed);
  }
  SourceFormat format() const override { return SourceFormat::keras; }
  std::string format_text() const override { return "a Keras HDF5 file"; }
  const std::vector<SourceTensor>& tensors() const override { return tensors_; }

  std::vector<std::vector<float>> read(const std::vector<std::size_t>& indices) const override {
    std::vector<SourceTensor> wanted;
    std::vector<std::uint64_t> counts;
    std::uint64_t total = 0;
    for (const std::size_t index : indices) {
      wanted.push_back(tensors_.at(index));
      std::uint64_t count = 1;
      for (const std::int64_t side : wanted.back().shape)
        if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(side), &count) || count > (1ULL << 28))
          throw RunError(path_ + ": dataset '" + wanted.back().name + "' is larger than any of a VGG's");
      counts.push_back(count);
      total += count;
    }
    const auto work = [&] {
      std::string bytes;
      for (const std::vector<float>& values : read_hdf5(path_, wanted))
        bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
      return bytes;
    };
    const std::uint64_t size = total * sizeof(float);
    const std::string bytes =
        run_isolated(work, {120, (256ULL << 20) + 3 * size, size + longest_message}, gave_up());
    if (bytes.size() != size) throw RunError(gave_up());
    std::vector<std::vector<float>> result;
    std::size_t at = 0;
    for (const std::uint64_t count : counts) {
      std::vector<float>& values = result.emplace_back(count);
      std::memcpy(values.data(), bytes.data() + at, count * sizeof(float));
      at += count * sizeof(float);
    }
    return result;
  }

 private:
  std::string gave_up() const { return path_ + ": is damaged: the HDF5 library gave up on it"; }

  std::string path_;
  std::vector<SourceTensor> tensors_;
};

}  // namespace

std::unique_ptr<TensorSource> open_hdf5(const std::string& path) {
  return std::make_unique<Hdf5Source>(path);
}

}  // namespace gramflow
