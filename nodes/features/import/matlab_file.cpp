#include "nodes/features/import/matlab_file.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "framework/base/error.h"
#include "nodes/features/import/byte_file.h"
#include "nodes/features/import/child_numbers.h"
#include "nodes/features/import/layer_parts.h"
#include "nodes/features/import/matlab_reader.h"
#include "nodes/features/import/packed_listing.h"
#include "nodes/features/import/tensor_names.h"

namespace gramflow {
namespace {

class MatlabSource final : public TensorSource {
 public:
  explicit MatlabSource(const std::string& path)
      : path_(path), memory_((256ULL << 20) + 2 * ByteFile(path).size()) {
    const std::string listed = run_isolated([&] { return pack_listing(list_matlab(path_)); },
                                            {120, memory_, 64ULL << 20}, gave_up());
    listing_ = unpack_listing(listed);
  }
  SourceFormat format() const override { return SourceFormat::matlab; }
  std::string format_text() const override {
    return is_matconvnet() ? "a MATLAB file of MatConvNet" : "a MATLAB file";
  }
  const std::vector<SourceTensor>& tensors() const override { return listing_.tensors; }
  std::string metadata(const std::string& key) const override {
    return key == "matconvnet" || key == "mean" ? text(key) : "";
  }
  SourceLayout layout(std::size_t index) const override {
    if (is_matconvnet()) return {KernelLayout{"hwio", false}, "as MatConvNet keeps them"};
    const SourceTensor& tensor = listing_.tensors.at(index);
    const bool one_side = tensor.shape.size() == 4 &&
                          std::count(tensor.shape.begin(), tensor.shape.end(), tensor.shape[0]) == 4;
    if (!one_side && split_name(clean_name(tensor.name)).role == "weight")
      return {KernelLayout{}, "by its name"};
    return {std::nullopt,
            "MATLAB does not say in what order the numbers of a kernel lie; say layout: hwio (MatConvNet) or "
            "oihw "
            "(PyTorch, Caffe) in the network's file"};
  }
  LayerFacts facts(std::size_t index) const override {
    const std::string& name = listing_.tensors.at(index).name;
    LayerFacts facts;
    facts.trouble = text("trouble " + name);
    int padding = -1;
    const std::string said = text("padding " + name);
    std::from_chars(said.data(), said.data() + said.size(), padding);
    if (!said.empty() && padding >= 0) facts.padding = padding;
    return facts;
  }
  std::vector<std::vector<float>> read(const std::vector<std::size_t>& indices) const override {
    // libmatio goes through the whole file each time, so all that is not huge is read at once.
    if (!read_once_) {
      read_once_ = true;
      std::vector<std::size_t> small;
      std::int64_t total = 0;
      for (std::size_t i = 0; i < listing_.tensors.size(); ++i) {
        const std::int64_t count = element_count(listing_.tensors[i]);
        if (count > most_kept || total > most_kept_together - count) continue;
        total += count;
        small.push_back(i);
      }
      std::vector<std::vector<float>> numbers = read_now(small);
      for (std::size_t i = 0; i < small.size(); ++i) kept_[small[i]] = std::move(numbers[i]);
    }
    std::vector<std::vector<float>> result;
    for (const std::size_t index : indices) {
      const auto kept = kept_.find(index);
      result.push_back(kept != kept_.end() ? kept->second : std::move(read_now({index}).at(0)));
    }
    return result;
  }

 private:
  static constexpr std::int64_t most_kept = 8
                                            << 20;  // numbers of one array; VGG's convolutions have 2 million
  static constexpr std::int64_t most_kept_together = 64 << 20;

  std::vector<std::vector<float>> read_now(const std::vector<std::size_t>& indices) const {
    std::vector<SourceTensor> wanted;
    for (const std::size_t index : indices) wanted.push_back(listing_.tensors.at(index));
    return numbers_from_child(
        wanted, [&] { return read_matlab(path_, wanted); }, memory_, path_, gave_up());
  }

  bool is_matconvnet() const { return !text("matconvnet").empty(); }
  std::string text(const std::string& key) const {
    const auto found = listing_.texts.find(key);
    return found == listing_.texts.end() ? "" : found->second;
  }
  std::string gave_up() const { return path_ + ": is damaged: libmatio gave up on it"; }

  std::string path_;
  std::uint64_t memory_;
  Listing listing_;
  mutable bool read_once_ = false;
  mutable std::map<std::size_t, std::vector<float>> kept_;
};

}  // namespace

std::unique_ptr<TensorSource> open_matlab(const std::string& path) {
  return std::make_unique<MatlabSource>(path);
}

}  // namespace gramflow
