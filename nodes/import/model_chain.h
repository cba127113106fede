#pragma once
// The order in which a model applies its convolutions, found by following its layers from the input on. It
// tells which kernel is which where names tell nothing (MXNet's vgg0_conv0_weight, PyTorch's onnx::Conv_12).
#include <map>
#include <string>
#include <vector>

namespace gramflow {

/// Call one of the three for each layer, in an order in which nothing is taken before it is given.
class ModelChain {
 public:
  struct Link {
    std::string kernel;  ///< as said to convolution()
    int pools = 0;       ///< between the one before (or the input) and this one
  };
  void convolution(const std::string& takes, const std::vector<std::string>& gives,
                   const std::string& kernel);
  void pool(const std::string& takes, const std::vector<std::string>& gives);
  /// A layer that hands on what it is given, number by number or channel by channel: a ReLU, a norm.
  void pass(const std::string& takes, const std::vector<std::string>& gives);
  /// A layer behind which nothing is a chain any more: a sum, a concatenation.
  void other(const std::vector<std::string>& gives);

  /// From the only convolution that sees the input to the first whose result several, or none, see.
  std::vector<Link> links() const;

 private:
  static constexpr int input = -1;
  static constexpr int unknown = -2;
  struct State {
    int last = input;  ///< the convolution behind which it lies
    int pools = 0;
  };
  struct Convolution {
    State before;
    std::string kernel;
  };
  State state(const std::string& blob) const;
  std::map<std::string, State> states_;
  std::vector<Convolution> convolutions_;
};

}  // namespace gramflow
