#pragma once
// The only door to oneDNN: a convolution without padding over a band of rows, by one thread.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace gramflow::cpu {

struct BandShape {
  std::int64_t rows, columns;  ///< of the output
  int in_channels, out_channels, kernel;
};

/// Weights in oneDNN's order of choice. Immutable, shared between threads.
class OnednnWeights {
 public:
  /// `weights` are OIHW.
  OnednnWeights(const float* weights, int in_channels, int out_channels, int kernel);
  ~OnednnWeights();
  OnednnWeights(const OnednnWeights&) = delete;
  OnednnWeights& operator=(const OnednnWeights&) = delete;
  static std::size_t bytes(int in_channels, int out_channels, int kernel);

 private:
  friend class OnednnConvolution;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class OnednnConvolution {
 public:
  OnednnConvolution(BandShape shape, bool with_bias, bool relu);
  ~OnednnConvolution();
  OnednnConvolution(OnednnConvolution&&) noexcept;
  std::size_t scratchpad_bytes() const;
  /// input: (rows + kernel - 1) x (columns + kernel - 1) x in; output: rows x columns x out, channels last.
  /// Any thread. oneDNN allocates its list of arguments on every call.
  void run(const OnednnWeights& weights, const float* bias, const float* input, float* output,
           void* scratchpad) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gramflow::cpu
