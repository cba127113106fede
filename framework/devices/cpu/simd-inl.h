// Highway helpers, compiled once for every instruction set (see simd.h). Vectors have at most 16 floats, so
// that layouts padded to 16 suit all of them. No include guard by design: Highway's toggle takes its place.
#if defined(GRAMFLOW_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GRAMFLOW_SIMD_INL_H_
#undef GRAMFLOW_SIMD_INL_H_
#else
#define GRAMFLOW_SIMD_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace gramflow::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::CappedTag<float, 16>;
using FloatVector = hn::Vec<Floats>;
using FloatMask = hn::Mask<Floats>;

HWY_INLINE std::size_t lanes() { return hn::Lanes(Floats()); }

/// The first `count` < lanes() floats of p, then zeros; reads nothing behind them.
HWY_INLINE FloatVector load_first(const float* p, std::size_t count) {
  const Floats d;
#if HWY_MEM_OPS_MIGHT_FAULT
  HWY_ALIGN float copy[16] = {};
  std::memcpy(copy, p, count * sizeof(float));
  return hn::Load(d, copy);
#else
  return hn::MaskedLoad(hn::FirstN(d, count), d, p);
#endif
}

HWY_INLINE void store_first(FloatVector v, float* p, std::size_t count) {
  const Floats d;
  hn::BlendedStore(v, hn::FirstN(d, count), d, p);
}

/// Loads or stores a whole vector, or with `tail` its first `count` floats.
template <bool tail>
HWY_INLINE FloatVector load(const float* p, std::size_t count) {
  if constexpr (tail) return load_first(p, count);
  return hn::LoadU(Floats(), p);
}
template <bool tail>
HWY_INLINE void store(FloatVector v, float* p, std::size_t count) {
  if constexpr (tail)
    store_first(v, p, count);
  else
    hn::StoreU(v, Floats(), p);
}

/// Copies `whole` bytes, or with `tail` the first `count` of them. A length known to the compiler is a move,
/// not a call.
template <bool tail, std::size_t whole>
HWY_INLINE void copy_bytes(void* to, const void* from, std::size_t count) {
  if constexpr (tail)
    std::memcpy(to, from, count);
  else
    std::memcpy(to, from, whole);
}

inline constexpr std::size_t most_lanes = hn::MaxLanes(Floats());
inline constexpr std::size_t mask_vector_bytes = (most_lanes + 7) / 8;

/// The mask bits of lanes() channels from `channel` on, a multiple of lanes(), of one pixel's mask; with
/// `tail` of `count`.
template <bool tail>
HWY_INLINE FloatMask load_mask(const std::uint8_t* pixel, std::size_t channel, std::size_t count) {
  const Floats d;
  std::uint8_t bits[8] = {};
  copy_bytes<tail, mask_vector_bytes>(bits, pixel + channel / 8, (channel % 8 + count + 7) / 8);
  if constexpr (most_lanes < 8) bits[0] = static_cast<std::uint8_t>(bits[0] >> (channel % 8));
  return hn::LoadMaskBits(d, bits);
}

/// Writes them. Vectors of less than 8 lanes fill a byte in the order of the channels.
template <bool tail>
HWY_INLINE void store_mask(FloatMask mask, std::uint8_t* pixel, std::size_t channel, std::size_t count) {
  const Floats d;
  std::uint8_t bits[8] = {};
  hn::StoreMaskBits(d, mask, bits);
  std::uint8_t* to = pixel + channel / 8;
  if constexpr (most_lanes >= 8)
    copy_bytes<tail, mask_vector_bytes>(to, bits, (count + 7) / 8);
  else
    *to = static_cast<std::uint8_t>((channel % 8 ? *to : 0) | (bits[0] << (channel % 8)));
}

/// Bytes (such as pooling indices) as integers, one a lane.
using Integers = hn::RebindToSigned<Floats>;
template <bool tail>
HWY_INLINE hn::Vec<Integers> load_bytes(const std::uint8_t* p, std::size_t count) {
  const Integers di;
  const hn::Rebind<std::uint8_t, Integers> bytes;
  if constexpr (!tail) return hn::PromoteTo(di, hn::LoadU(bytes, p));
  HWY_ALIGN std::uint8_t copy[16] = {};
  std::memcpy(copy, p, count);
  return hn::PromoteTo(di, hn::Load(bytes, copy));
}
template <bool tail>
HWY_INLINE void store_bytes(hn::Vec<Integers> v, std::uint8_t* p, std::size_t count) {
  const hn::Rebind<std::uint8_t, Integers> bytes;
  if constexpr (!tail) {
    hn::StoreU(hn::DemoteTo(bytes, v), bytes, p);
  } else {
    HWY_ALIGN std::uint8_t copy[16];
    hn::Store(hn::DemoteTo(bytes, v), bytes, copy);
    std::memcpy(p, copy, count);
  }
}

}  // namespace gramflow::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
