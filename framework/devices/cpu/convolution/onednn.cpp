// Debian's oneDNN is an OpenMP build, and it decides how to cut its work when a primitive is created, by the
// number of threads the creating thread would get. So every entry first sets this thread's OpenMP team to
// one: creation plans for one thread, execution starts none.
//
// The order of the weights is asked for once, for a band of usual size, and then imposed on every other size:
// forward and all sizes of a network share one copy. oneDNN 2.x and 3.x spell descriptors differently; both
// spellings are here.
#include "framework/devices/cpu/convolution/onednn.h"

#include <omp.h>

#include <dnnl.hpp>
#include <unordered_map>

namespace gramflow::cpu {

namespace {

using Description = dnnl::convolution_forward::primitive_desc;
using Memory = dnnl::memory;

dnnl::engine cpu_engine() { return dnnl::engine(dnnl::engine::kind::cpu, 0); }

Memory::desc weights_desc(const BandShape& s, Memory::format_tag tag) {
  return Memory::desc({s.out_channels, s.in_channels, s.kernel, s.kernel}, Memory::data_type::f32, tag);
}

/// A description borrows its engine.
Description describe(const dnnl::engine& engine, const BandShape& s, const Memory::desc& weights,
                     bool with_bias, bool relu) {
  omp_set_num_threads(1);
  const auto f32 = Memory::data_type::f32;
  const auto nhwc = Memory::format_tag::nhwc;
  const Memory::desc source({1, s.in_channels, s.rows + s.kernel - 1, s.columns + s.kernel - 1}, f32, nhwc);
  const Memory::desc target({1, s.out_channels, s.rows, s.columns}, f32, nhwc);
  const Memory::desc bias =
      with_bias ? Memory::desc({s.out_channels}, f32, Memory::format_tag::x) : Memory::desc();
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (relu) {
    dnnl::post_ops after;
#if DNNL_VERSION_MAJOR >= 3
    after.append_eltwise(dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
#else
    after.append_eltwise(1.0f, dnnl::algorithm::eltwise_relu, 0.0f, 0.0f);
#endif
    attributes.set_post_ops(after);
  }
  const Memory::dims ones{1, 1};
  const Memory::dims none{0, 0};
  const auto kind = dnnl::prop_kind::forward_inference;
  const auto direct = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return Description(engine, kind, direct, source, weights, bias, target, ones, none, none, attributes);
#else
  return Description({kind, direct, source, weights, bias, target, ones, none, none}, attributes, engine);
#endif
}

/// The weights' order for every band of such a filter.
Memory::desc packed_desc(const dnnl::engine& engine, int in_channels, int out_channels, int kernel) {
  const BandShape usual{16, 64, in_channels, out_channels, kernel};
  return describe(engine, usual, weights_desc(usual, Memory::format_tag::any), true, false).weights_desc();
}

}  // namespace

struct OnednnWeights::Impl {
  dnnl::engine engine = cpu_engine();
  Memory packed;
};

OnednnWeights::OnednnWeights(const float* weights, int in_channels, int out_channels, int kernel)
    : impl_(std::make_unique<Impl>()) {
  const BandShape shape{1, 1, in_channels, out_channels, kernel};
  const dnnl::engine& engine = impl_->engine;
  impl_->packed = Memory(packed_desc(engine, in_channels, out_channels, kernel), engine);
  Memory plain(weights_desc(shape, Memory::format_tag::oihw), engine, const_cast<float*>(weights));
  dnnl::stream stream(engine);
  dnnl::reorder(plain, impl_->packed).execute(stream, plain, impl_->packed);
  stream.wait();
}
OnednnWeights::~OnednnWeights() = default;

std::size_t OnednnWeights::bytes(int in_channels, int out_channels, int kernel) {
  return packed_desc(cpu_engine(), in_channels, out_channels, kernel).get_size();
}

struct OnednnConvolution::Impl {
  dnnl::engine engine = cpu_engine();
  Description description;
  dnnl::convolution_forward primitive;
};

OnednnConvolution::OnednnConvolution(BandShape shape, bool with_bias, bool relu)
    : impl_(std::make_unique<Impl>()) {
  impl_->description = describe(
      impl_->engine, shape, packed_desc(impl_->engine, shape.in_channels, shape.out_channels, shape.kernel),
      with_bias, relu);
  impl_->primitive = dnnl::convolution_forward(impl_->description);
}
OnednnConvolution::~OnednnConvolution() = default;
OnednnConvolution::OnednnConvolution(OnednnConvolution&&) noexcept = default;

std::size_t OnednnConvolution::scratchpad_bytes() const {
  return impl_->description.scratchpad_desc().get_size();
}

void OnednnConvolution::run(const OnednnWeights& weights, const float* bias, const float* input,
                            float* output, void* scratchpad) const {
  omp_set_num_threads(1);
  const Description& d = impl_->description;
  const dnnl::engine& engine = impl_->engine;
  std::unordered_map<int, Memory> arguments = {
      {DNNL_ARG_SRC, Memory(d.src_desc(), engine, const_cast<float*>(input))},
      {DNNL_ARG_WEIGHTS, weights.impl_->packed},
      {DNNL_ARG_DST, Memory(d.dst_desc(), engine, output)},
      {DNNL_ARG_SCRATCHPAD, Memory(d.scratchpad_desc(), engine, scratchpad)}};
  if (bias) arguments.emplace(DNNL_ARG_BIAS, Memory(d.bias_desc(), engine, const_cast<float*>(bias)));
  dnnl::stream stream(engine);
  impl_->primitive.execute(stream, arguments);
  stream.wait();
}

}  // namespace gramflow::cpu
