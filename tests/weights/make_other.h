#pragma once
// Files of numpy, Caffe, ONNX and MATLAB, as their programs write them.
#include <string>
#include <vector>

#include "tests/weights/made_file.h"

namespace gramflow::test {

/// One array as .npy; `column_major` stores it with its first side fastest.
std::string npy_bytes(const MadeTensor& tensor, bool column_major = false);
std::string npz_bytes(const std::vector<MadeTensor>& tensors);
/// np.save of a dictionary: "conv1_1.0" and "conv1_1.1" become {"conv1_1": [kernel, bias]}.
std::string npy_dictionary(const std::vector<MadeTensor>& tensors);

/// One layer of a made model, in the order of the network.
struct MadeLayer {
  std::string kind;  ///< "Convolution", "ReLU", "Pooling", "BatchNorm", "Scale", "PReLU"
  std::string name;
  std::vector<MadeTensor> blobs;
  int padding = 1;
  int stride = 1;
};

/// `old`: the layers of VGG_ILSVRC_19_layers.caffemodel (V1), else the later ones.
std::string caffe_bytes(const std::vector<MadeLayer>& layers, bool old);
/// Blobs are initialisers under their own names; BatchNorm is BatchNormalization with (scale, shift, mean,
/// variance).
std::string onnx_bytes(const std::vector<MadeLayer>& layers);
/// MatConvNet's cell of layers; kernels are OIHW here and HWIO there. Arrays alone when a layer has no kind.
void put_matlab(const std::string& file, const std::vector<MadeLayer>& layers,
                const std::vector<double>& mean, bool packed);

}  // namespace gramflow::test
