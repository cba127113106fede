// Order: colour that was multiplied by alpha is divided by it; then one of three ways: through a profile
// (lcms2, perceptual), through the sRGB curve (floats are light), or as it is; grey is repeated; all is
// clamped.
//
// 8-bit RGB takes lcms2's fast way for bytes (16-bit result), everything else its exact one in floats.
// Whether a profile means sRGB is tried, not looked up: when no colour of a grid moves by more than a step of
// 255, there is nothing to do.
#include "nodes/image/decode/colour.h"

#include <lcms2.h>

#include <algorithm>
#include <cmath>

#include "nodes/image/transfer.h"

namespace gramflow::decode {
namespace {

struct CloseProfile {
  void operator()(void* profile) const { cmsCloseProfile(profile); }
};
using Profile = std::unique_ptr<void, CloseProfile>;

Profile profile_of(const Primaries& primaries, bool grey) {
  // lcms2's parametric type 4 is the sRGB curve.
  const cmsFloat64Number srgb[5] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
  cmsToneCurve* curve = primaries.gamma == 0 ? cmsBuildParametricToneCurve(nullptr, 4, srgb)
                                             : cmsBuildGamma(nullptr, primaries.gamma);
  if (curve == nullptr) return nullptr;
  const double* xy = primaries.xy;
  const cmsCIExyY white{xy[0], xy[1], 1};
  const cmsCIExyYTRIPLE colours{{xy[2], xy[3], 1}, {xy[4], xy[5], 1}, {xy[6], xy[7], 1}};
  cmsToneCurve* const curves[3] = {curve, curve, curve};
  Profile made(grey ? cmsCreateGrayProfile(&white, curve) : cmsCreateRGBProfile(&white, &colours, curves));
  cmsFreeToneCurve(curve);
  return made;
}

std::vector<unsigned char> bytes_of(const Profile& profile) {
  cmsUInt32Number size = 0;
  if (cmsSaveProfileToMem(profile.get(), nullptr, &size) == 0) return {};
  std::vector<unsigned char> bytes(size);
  if (cmsSaveProfileToMem(profile.get(), bytes.data(), &size) == 0 || size < 36) return {};
  constexpr unsigned char date[12] = {0x07, 0xEA, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0};  // the same every day
  std::copy(std::begin(date), std::end(date), bytes.begin() + 24);
  return bytes;
}

bool are_srgb(const Primaries& primaries) {
  const Primaries srgb;
  for (std::size_t i = 0; i < 8; ++i)
    if (std::abs(primaries.xy[i] - srgb.xy[i]) > 1e-3) return false;
  return true;
}

int channels_of(cmsColorSpaceSignature space) { return static_cast<int>(cmsChannelsOf(space)); }

}  // namespace

class ColourConversion::Transform {
 public:
  /// Null when lcms2 cannot use the profile for these samples.
  static std::unique_ptr<const Transform> make(const Profile& from, ColourModel model, bool bytes) {
    if (!from) return nullptr;
    const cmsColorSpaceSignature space = cmsGetColorSpace(from.get());
    auto made = std::unique_ptr<Transform>(new Transform);
    // Grey pictures often carry the RGB profile of the camera: grey then is equal red, green and blue.
    made->repeats_ = model == ColourModel::grey && space == cmsSigRgbData;
    made->samples_ = samples_of(model);
    const bool fits = (model == ColourModel::grey && space == cmsSigGrayData) || made->repeats_ ||
                      (model == ColourModel::rgb && space == cmsSigRgbData) ||
                      (model == ColourModel::cmyk && space == cmsSigCmykData);
    if (!fits || channels_of(space) != (made->repeats_ ? 3 : made->samples_)) return nullptr;
    const Profile srgb(cmsCreate_sRGBProfile());
    made->bytes_ = bytes && space == cmsSigRgbData;
    made->ink_ = space == cmsSigCmykData;
    const cmsUInt32Number in = made->bytes_              ? TYPE_RGB_8
                               : space == cmsSigGrayData ? TYPE_GRAY_FLT
                               : made->ink_              ? TYPE_CMYK_FLT
                                                         : TYPE_RGB_FLT;
    const cmsUInt32Number flags = made->bytes_ ? 0 : cmsFLAGS_NOOPTIMIZE;
    made->handle_ = cmsCreateTransform(from.get(), in, srgb.get(), made->bytes_ ? TYPE_RGB_16 : TYPE_RGB_FLT,
                                       INTENT_PERCEPTUAL, flags | cmsFLAGS_NOCACHE);
    if (made->handle_ == nullptr) return nullptr;
    return made;
  }
  ~Transform() {
    if (handle_ != nullptr) cmsDeleteTransform(handle_);
  }
  Transform(const Transform&) = delete;
  Transform& operator=(const Transform&) = delete;

  /// `stride` floats a pixel of `in`; `rgb` packed.
  void run(const float* in, std::size_t stride, std::size_t pixels, float* rgb) const {
    constexpr std::size_t at_once = 4096;
    float floats[at_once * 4];
    for (std::size_t begin = 0; begin < pixels; begin += at_once) {
      const std::size_t count = std::min(at_once, pixels - begin);
      const auto width = static_cast<std::size_t>(repeats_ ? 3 : samples_);
      for (std::size_t i = 0; i < count; ++i)
        for (std::size_t c = 0; c < width; ++c) {
          const float value = std::clamp(in[(begin + i) * stride + (repeats_ ? 0 : c)], 0.0F, 1.0F);
          floats[i * width + c] = ink_ ? value * 100 : value;  // lcms2 counts ink in percent
        }
      float* const out = rgb + begin * 3;
      if (bytes_)
        run_bytes(floats, count, out);
      else
        cmsDoTransform(handle_, floats, out, static_cast<cmsUInt32Number>(count));
    }
  }

  /// Whether it leaves every colour where it is, up to a step of 255.
  bool changes_nothing() const {
    if (ink_) return false;
    constexpr int steps = 8;
    float in[steps * steps * steps * 3];
    float out[steps * steps * steps * 3];
    const bool grey = samples_ == 1;
    std::size_t count = 0;
    for (int i = 0; i < steps * steps * steps; ++i, ++count) {
      const int at[3] = {i % steps, i / steps % steps, i / steps / steps};
      for (std::size_t c = 0; c < 3; ++c) in[count * 3 + c] = static_cast<float>(grey ? i : at[c] * 73) / 511;
    }
    run(in, 3, count, out);
    for (std::size_t i = 0; i < count * 3; ++i) {
      const float expected = in[i];
      if (!(std::abs(out[i] - expected) < 0.9F / 255)) return false;
    }
    return true;
  }

 private:
  Transform() = default;
  void run_bytes(const float* in, std::size_t count, float* out) const {
    unsigned char bytes[4096 * 3];
    std::uint16_t fine[4096 * 3];
    for (std::size_t i = 0; i < count * 3; ++i) bytes[i] = static_cast<unsigned char>(in[i] * 255 + 0.5F);
    cmsDoTransform(handle_, bytes, fine, static_cast<cmsUInt32Number>(count));
    for (std::size_t i = 0; i < count * 3; ++i) out[i] = unit16(fine[i]);
  }

  cmsHTRANSFORM handle_ = nullptr;
  int samples_ = 3;
  bool repeats_ = false;
  bool bytes_ = false;
  bool ink_ = false;
};

ColourConversion::ColourConversion(Header& header)
    : model_(header.model),
      samples_(header.samples()),
      premultiplied_(header.premultiplied),
      linear_(header.floating) {
  cmsSetLogErrorHandler([](cmsContext, cmsUInt32Number, const char*) {});
  if (header.alpha) header.notes.emplace_back("transparency is left out; the colour beneath it is kept");
  const bool bytes = header.bits <= 8 && !header.floating && !header.premultiplied;
  bool broken = false;
  if (!header.profile.empty()) {
    const Profile found(
        cmsOpenProfileFromMem(header.profile.data(), static_cast<cmsUInt32Number>(header.profile.size())));
    transform_ = Transform::make(found, model_, bytes);
    broken = !transform_;
  } else if (header.has_primaries && model_ != ColourModel::cmyk &&
             !(header.floating && header.primaries.gamma == 1 && are_srgb(header.primaries))) {
    const Profile made = profile_of(header.primaries, model_ == ColourModel::grey);
    transform_ = Transform::make(made, model_, bytes);
    if (transform_ && !transform_->changes_nothing())
      header.profile = bytes_of(made);  // for whoever keeps it
  }
  if (transform_ && transform_->changes_nothing()) {
    transform_.reset();
    linear_ = false;
  }
  if (broken) {
    header.notes.emplace_back("its colour profile is broken or of another kind of colour and is ignored" +
                              std::string(model_ == ColourModel::cmyk ? "" : "; colours are taken for sRGB"));
    header.profile.clear();
  }
  if (model_ == ColourModel::cmyk && !transform_)
    header.notes.emplace_back("CMYK is converted to RGB without a colour profile; colours may shift");
  if (header.floating && (linear_ || transform_))
    header.notes.emplace_back("linear light is converted to sRGB; what is brighter than white becomes white");
}

ColourConversion::~ColourConversion() = default;

void ColourConversion::undo_premultiplication(float* in, std::size_t pixels) const {
  const auto samples = static_cast<std::size_t>(samples_);
  for (std::size_t i = 0; i < pixels; ++i) {
    float* pixel = in + i * samples;
    const float alpha = pixel[samples - 1];
    const float factor = alpha > 0 ? 1 / alpha : 1;
    for (std::size_t c = 0; c + 1 < samples; ++c) pixel[c] *= factor;
  }
}

void ColourConversion::run(float* in, std::size_t pixels, float* rgb) const {
  const auto samples = static_cast<std::size_t>(samples_);
  if (premultiplied_) undo_premultiplication(in, pixels);
  if (transform_) {
    transform_->run(in, samples, pixels, rgb);
    for (std::size_t i = 0; i < pixels * 3; ++i) rgb[i] = rgb[i] > 0 ? std::min(rgb[i], 1.0F) : 0.0F;
    return;
  }
  for (std::size_t i = 0; i < pixels; ++i) {
    const float* pixel = in + i * samples;
    for (std::size_t c = 0; c < 3; ++c) {
      float value = pixel[model_ == ColourModel::grey ? 0 : c];
      if (model_ == ColourModel::cmyk) value = (1 - value) * (1 - pixel[3]);
      rgb[i * 3 + c] = linear_ ? srgb_from_linear(value) : std::clamp(value, 0.0F, 1.0F);
    }
  }
}

}  // namespace gramflow::decode
