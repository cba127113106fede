#include <fmt/format.h>

#include "framework/base/printable.h"
#include "nodes/import/number_bytes.h"
#include "nodes/import/wire_tensor.h"

namespace gramflow {
namespace {

constexpr std::uint64_t most_elements = 1ULL << 28;

class WireSource final : public TensorSource {
 public:
  WireSource(std::unique_ptr<ByteFile> file, SourceFormat format, std::string text, WireModel model)
      : file_(std::move(file)), format_(format), text_(std::move(text)), model_(std::move(model)) {
    std::map<std::string, std::size_t> places;
    for (const WireTensor& tensor : model_.tensors) {
      places.emplace(tensor.listed.name, listed_.size());
      listed_.push_back(tensor.listed);
    }
    for (const ModelChain::Link& link : model_.chain) {
      const auto place = places.find(link.kernel);
      if (place == places.end()) break;  // its numbers are computed in the model
      chain_.push_back({place->second, link.pools});
    }
  }
  SourceFormat format() const override { return format_; }
  std::string format_text() const override { return text_; }
  const std::vector<SourceTensor>& tensors() const override { return listed_; }
  LayerFacts facts(std::size_t index) const override {
    const auto found = model_.facts.find(listed_.at(index).name);
    return found == model_.facts.end() ? LayerFacts{} : found->second;
  }
  std::vector<ChainLink> chain() const override { return chain_; }
  std::optional<double> epsilon(const std::string& module) const override {
    const auto found = model_.epsilons.find(module);
    return found == model_.epsilons.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<std::vector<float>> read(const std::vector<std::size_t>& indices) const override {
    std::vector<std::vector<float>> result;
    for (const std::size_t index : indices) result.push_back(read_one(model_.tensors.at(index)));
    return result;
  }

 private:
  std::vector<float> read_one(const WireTensor& tensor) const {
    const std::string shown = "tensor '" + printable(tensor.listed.name) + "'";
    if (!tensor.trouble.empty()) file_->fail(shown + " " + tensor.trouble);
    const std::size_t size = number_size(tensor.listed.type);
    if (size == 0) file_->fail(shown + " is of type " + tensor.listed.type + ", which holds no real numbers");
    std::uint64_t count = 1;
    for (const std::int64_t side : tensor.listed.shape)
      if (side < 0 || __builtin_mul_overflow(count, static_cast<std::uint64_t>(side), &count) ||
          count > most_elements)
        file_->fail(shown + " is larger than any of a VGG's");
    std::uint64_t bytes = 0;
    for (const WireTensor::Piece& piece : tensor.pieces) bytes += piece.size;
    if (bytes != count * size)
      file_->fail(fmt::format("{} has {} bytes where its shape wants {}", shown, bytes, count * size));
    std::string all;
    all.reserve(bytes);
    for (const WireTensor::Piece& piece : tensor.pieces) all += file_->read(piece.offset, piece.size, shown);
    return numbers_from_bytes(all, tensor.listed.type);
  }

  std::unique_ptr<ByteFile> file_;
  SourceFormat format_;
  std::string text_;
  WireModel model_;
  std::vector<SourceTensor> listed_;
  std::vector<ChainLink> chain_;
};

}  // namespace

std::unique_ptr<TensorSource> make_wire_source(std::unique_ptr<ByteFile> file, SourceFormat format,
                                               std::string format_text, WireModel model) {
  return std::make_unique<WireSource>(std::move(file), format, std::move(format_text), std::move(model));
}

}  // namespace gramflow
