#pragma once
// Tensors of a file in the wire format: where their numbers lie, in pieces.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nodes/import/byte_file.h"
#include "nodes/import/model_chain.h"
#include "nodes/import/tensor_source.h"

namespace gramflow {

struct WireTensor {
  SourceTensor listed;
  struct Piece {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;  ///< bytes
  };
  std::vector<Piece> pieces;  ///< one after the other they are the numbers
  std::string trouble;        ///< why it cannot be read; "" when it can
};

/// What a model says of the layer of a kernel, by the tensor's name.
struct WireModel {
  std::vector<WireTensor> tensors;
  std::map<std::string, LayerFacts> facts;
  std::map<std::string, double> epsilons;  ///< of norms, by module
  std::vector<ModelChain::Link> chain;     ///< by the tensors' names
};

/// A source of what was found.
std::unique_ptr<TensorSource> make_wire_source(std::unique_ptr<ByteFile> file, SourceFormat format,
                                               std::string format_text, WireModel model);

std::unique_ptr<TensorSource> open_onnx(std::unique_ptr<ByteFile> file);
std::unique_ptr<TensorSource> open_caffe(std::unique_ptr<ByteFile> file);

}  // namespace gramflow
