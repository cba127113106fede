// A .caffemodel is a list of layers with their blobs; the layers say what they are, what they take and what
// they give, mostly in place. There are two kinds of layers (V1 and the later one); field numbers are those
// of caffe.proto: https://github.com/BVLC/caffe/blob/master/src/caffe/proto/caffe.proto
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>

#include "framework/base/printable.h"
#include "nodes/import/wire_format.h"
#include "nodes/import/wire_tensor.h"

namespace gramflow {
namespace {

constexpr std::size_t most_layers = 10'000;

struct Blob {
  std::vector<std::int64_t> shape;
  std::vector<WireTensor::Piece> pieces;
  bool is_double = false;
};

struct Layer {
  std::string name;
  std::string kind;
  std::vector<std::string> takes;
  std::vector<std::string> gives;
  std::vector<Blob> blobs;
  std::string module;  // the norm's, for the Scale that belongs to it
  // Of convolutions:
  int padding = 0;
  bool bias = true;
  bool plain = true;    // stride, dilation and groups of 1
  bool halves = false;  // a pool of 2x2
  double slope = 0;     // of ReLU
  double epsilon = 1e-5;
};

std::string v1_kind(std::uint64_t number) {
  switch (number) {
    case 4:
      return "Convolution";
    case 6:
      return "Dropout";
    case 14:
      return "InnerProduct";
    case 17:
      return "Pooling";
    case 18:
      return "ReLU";
    case 39:
      return "Deconvolution";
    default:
      return fmt::format("layer of kind {}", number);
  }
}

class CaffeReader {
 public:
  explicit CaffeReader(const ByteFile& file) : file_(file) {}

  WireModel run() {
    WireReader net(file_, 0, file_.size());
    WireField field;
    while (net.next(field)) {
      if (field.type != 2 || (field.number != 2 && field.number != 100)) continue;
      if (layers_.size() >= most_layers) file_.fail("holds more layers than any network");
      layers_.push_back(read_layer(field, field.number == 2));
    }
    name_scales();
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      add_tensors(layers_[i]);
      if (layers_[i].kind == "Convolution") describe(i);
      follow(layers_[i]);
    }
    model_.chain = chain_.links();
    return std::move(model_);
  }

 private:
  Layer read_layer(const WireField& message, bool v1) const {
    Layer layer;
    WireReader reader(file_, message);
    WireField field;
    while (reader.next(field)) {
      const std::uint32_t number = field.number;
      if (number == (v1 ? 4U : 1U)) layer.name = reader.text(field);
      if (v1 && number == 5 && field.type == 0) layer.kind = v1_kind(field.value);
      if (!v1 && number == 2) layer.kind = reader.text(field);
      if (number == (v1 ? 2U : 3U)) layer.takes.push_back(reader.text(field));
      if (number == (v1 ? 3U : 4U)) layer.gives.push_back(reader.text(field));
      if (field.type != 2) continue;
      if (number == (v1 ? 6U : 7U)) layer.blobs.push_back(read_blob(field));
      if (number == (v1 ? 10U : 106U)) read_convolution(field, layer);
      if (number == (v1 ? 19U : 121U)) read_pooling(field, layer);
      if (number == (v1 ? 30U : 123U)) layer.slope = number_of(field, 1, 0);
      if (!v1 && number == 139) layer.epsilon = number_of(field, 3, 1e-5);
    }
    layer.module = layer.name;
    return layer;
  }

  double number_of(const WireField& message, std::uint32_t number, double standard) const {
    WireReader reader(file_, message);
    WireField field;
    double value = standard;
    while (reader.next(field))
      if (field.number == number && field.type == 5)
        value = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(field.value)));
    return value;
  }

  void read_convolution(const WireField& message, Layer& layer) const {
    WireReader reader(file_, message);
    WireField field;
    std::vector<std::int64_t> pads;
    while (reader.next(field)) {
      std::vector<std::int64_t> numbers;
      const std::uint32_t number = field.number;
      if (number == 2 && field.type == 0) layer.bias = field.value != 0;
      if (number == 3 || number == 9 || number == 10) reader.integers(field, pads);
      if (number == 5 || number == 6 || number == 13 || number == 14 || number == 18) {
        reader.integers(field, numbers);
        for (const std::int64_t one : numbers) layer.plain = layer.plain && one == 1;
      }
    }
    for (const std::int64_t pad : pads) {
      layer.plain = layer.plain && pad == pads[0] && pad >= 0 && pad < 100;
      layer.padding = static_cast<int>(std::clamp<std::int64_t>(pad, 0, 100));
    }
  }

  // kernel_size 2 and stride 3 of PoolingParameter, or their h and w: 5, 6, 7, 8; 12 is global pooling.
  void read_pooling(const WireField& message, Layer& layer) const {
    WireReader reader(file_, message);
    WireField field;
    std::array<std::uint64_t, 13> said{};
    said[3] = 1;
    while (reader.next(field))
      if (field.number < said.size() && field.type == 0) said[field.number] = field.value;
    const bool kernel = said[2] == 2 || (said[5] == 2 && said[6] == 2);
    const bool stride = said[3] == 2 || (said[7] == 2 && said[8] == 2);
    layer.halves = kernel && stride && said[12] == 0;
  }

  Blob read_blob(const WireField& message) const {
    Blob blob;
    std::vector<std::int64_t> old(4, 0);
    WireReader reader(file_, message);
    WireField field;
    while (reader.next(field)) {
      if (field.number >= 1 && field.number <= 4 && field.type == 0)
        old[field.number - 1] = static_cast<std::int64_t>(field.value);
      if (field.number == 5 && field.size > 0) blob.pieces.push_back({field.offset, field.size});
      if (field.number == 8 && field.size > 0) {
        blob.pieces.push_back({field.offset, field.size});
        blob.is_double = true;
      }
      if (field.number == 7 && field.type == 2) {
        WireReader shape(file_, field);
        WireField side;
        while (shape.next(side))
          if (side.number == 1) shape.integers(side, blob.shape);
      }
    }
    if (blob.shape.empty() && *std::max_element(old.begin(), old.end()) > 0) blob.shape = old;
    if (blob.shape.size() > 8) file_.fail("is damaged: a blob has more than 8 dimensions");
    return blob;
  }

  /// Caffe's batch norm has no factor and summand; a Scale after it has them.
  void name_scales() {
    for (std::size_t i = 1; i < layers_.size(); ++i) {
      if (layers_[i].kind != "Scale" || layers_[i].takes.empty()) continue;
      for (std::size_t before = i; before-- > 0;) {
        const std::vector<std::string>& gives = layers_[before].gives;
        if (std::find(gives.begin(), gives.end(), layers_[i].takes[0]) == gives.end()) continue;
        if (layers_[before].kind == "BatchNorm") layers_[i].module = layers_[before].module;
        break;
      }
    }
  }

  void add_tensors(const Layer& layer) {
    static constexpr const char* norm_parts[] = {"running_mean", "running_var", "scale_factor"};
    static constexpr const char* parts[] = {"weight", "bias"};
    for (std::size_t i = 0; i < layer.blobs.size() && i < 100; ++i) {
      const Blob& blob = layer.blobs[i];
      WireTensor tensor;
      const bool norm = layer.kind == "BatchNorm";
      const std::string part = norm && i < 3    ? norm_parts[i]
                               : !norm && i < 2 ? parts[i]
                                                : fmt::format("blob{}", i);
      tensor.listed = {layer.module + "." + part, blob.is_double ? "F64" : "F32", blob.shape};
      tensor.pieces = blob.pieces;
      model_.tensors.push_back(std::move(tensor));
    }
  }

  void describe(std::size_t index) {
    const Layer& conv = layers_[index];
    LayerFacts facts;
    if (!conv.plain) facts.trouble = "has a stride, dilation, groups or unequal padding";
    facts.padding = conv.padding;
    facts.no_bias = !conv.bias;
    std::string blob = conv.gives.empty() ? "" : conv.gives[0];
    bool active = false;
    for (std::size_t i = index + 1; i < layers_.size() && !blob.empty(); ++i) {
      const Layer& layer = layers_[i];
      if (std::find(layer.takes.begin(), layer.takes.end(), blob) == layer.takes.end()) continue;
      if (layer.kind == "BatchNorm" && !active && facts.norm.empty()) {
        facts.norm = layer.module;
        model_.epsilons[layer.module] = layer.epsilon;
      } else if (layer.kind == "ReLU" && layer.slope == 0) {
        active = true;
      } else if (layer.kind == "Convolution" || layer.kind == "Pooling" || layer.kind == "InnerProduct" ||
                 layer.kind == "Split" || layer.kind == "Softmax" || layer.kind == "SoftmaxWithLoss") {
        break;
      } else if (layer.kind != "Dropout" && (layer.kind != "Scale" || active || layer.module != facts.norm)) {
        facts.trouble = fmt::format("is followed by {} '{}'{}",
                                    layer.kind == "ReLU" ? "a leaky ReLU" : "a " + printable(layer.kind),
                                    printable(layer.name), active ? " after its ReLU" : "");
        break;
      }
      if (!layer.gives.empty()) blob = layer.gives[0];
    }
    model_.facts[conv.module + ".weight"] = facts;
  }

  // Layers are in the order in which they are computed.
  void follow(const Layer& layer) {
    static constexpr std::string_view passing[] = {"ReLU", "BatchNorm", "Scale", "Dropout", "Split"};
    if (layer.takes.empty()) return;  // an input
    if (layer.kind == "Convolution")
      chain_.convolution(layer.takes[0], layer.gives, layer.module + ".weight");
    else if (layer.kind == "Pooling" && layer.halves)
      chain_.pool(layer.takes[0], layer.gives);
    else if (std::find(std::begin(passing), std::end(passing), layer.kind) != std::end(passing))
      chain_.pass(layer.takes[0], layer.gives);
    else
      chain_.other(layer.gives);
  }

  const ByteFile& file_;
  ModelChain chain_;
  std::vector<Layer> layers_;
  WireModel model_;
};

}  // namespace

std::unique_ptr<TensorSource> open_caffe(std::unique_ptr<ByteFile> file) {
  WireModel model = CaffeReader(*file).run();
  return make_wire_source(std::move(file), SourceFormat::caffe, "a Caffe model", std::move(model));
}

}  // namespace gramflow
