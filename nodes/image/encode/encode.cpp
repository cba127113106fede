// From sRGB floats to the samples of a format: through a profile if asked for, to linear light for OpenEXR,
// clamped, to the nearest step.
#include "nodes/image/encode/encoder.h"

#include <lcms2.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "nodes/image/transfer.h"

namespace gramflow::encode {
namespace {

float unit(float value) { return value > 0 ? std::min(value, 1.0F) : 0.0F; }  // NaN fails the comparison: 0

struct CloseProfile {
  void operator()(void* profile) const { cmsCloseProfile(profile); }
};
using Profile = std::unique_ptr<void, CloseProfile>;

struct DeleteTransform {
  void operator()(void* transform) const { cmsDeleteTransform(transform); }
};
using Transform = std::unique_ptr<void, DeleteTransform>;

/// From sRGB into a profile, in floats; null when the profile is none for RGB pictures.
Transform into(const std::vector<unsigned char>& profile) {
  cmsSetLogErrorHandler([](cmsContext, cmsUInt32Number, const char*) {});
  const Profile to(cmsOpenProfileFromMem(profile.data(), static_cast<cmsUInt32Number>(profile.size())));
  if (!to || cmsGetColorSpace(to.get()) != cmsSigRgbData) return nullptr;
  const Profile from(cmsCreate_sRGBProfile());
  return Transform(cmsCreateTransform(from.get(), TYPE_RGB_FLT, to.get(), TYPE_RGB_FLT, INTENT_PERCEPTUAL,
                                      cmsFLAGS_NOOPTIMIZE | cmsFLAGS_NOCACHE));
}

template <class Sample>
void quantise(const std::vector<float>& from, float steps, void* to) {
  std::transform(from.begin(), from.end(), static_cast<Sample*>(to),
                 [steps](float v) { return static_cast<Sample>(unit(v) * steps + 0.5F); });
}

}  // namespace

std::vector<unsigned char> srgb_profile() {
  const Profile srgb(cmsCreate_sRGBProfile());
  cmsUInt32Number size = 0;
  cmsSaveProfileToMem(srgb.get(), nullptr, &size);
  std::vector<unsigned char> bytes(size);
  if (cmsSaveProfileToMem(srgb.get(), bytes.data(), &size) == 0)
    throw EncodeError("lcms2 cannot make an sRGB profile");
  constexpr std::array<unsigned char, 12> date = {0x07, 0xEA, 0, 1, 0, 1,
                                                  0,    0,    0, 0, 0, 0};  // the same file every day
  std::copy(date.begin(), date.end(), bytes.begin() + 24);
  return bytes;
}

std::string profile_problem(const std::vector<unsigned char>& profile) {
  return into(profile) ? "" : "its colour profile is not one that red, green and blue can be converted into";
}

void encode(const Encoding& encoding, const FloatRow& row, const WriteAt& write) {
  const Transform transform = encoding.profile.empty() ? nullptr : into(encoding.profile);
  if (!encoding.profile.empty() && !transform) throw EncodeError(profile_problem(encoding.profile));
  std::vector<float> values(static_cast<std::size_t>(encoding.size.width) * 3);
  const SampleRow samples = [&](int y, void* to) {
    row(y, values.data());
    std::transform(values.begin(), values.end(), values.begin(), unit);
    if (transform)
      cmsDoTransform(transform.get(), values.data(), values.data(),
                     static_cast<cmsUInt32Number>(encoding.size.width));
    if (encoding.floating)
      std::transform(values.begin(), values.end(), static_cast<float*>(to), linear_from_srgb);
    else if (encoding.bits == 16)
      quantise<std::uint16_t>(values, 65535, to);
    else
      quantise<std::uint8_t>(values, 255, to);
  };
  static const std::map<std::string, decltype(&write_png)> writers = {
      {"png", write_png},     {"jpeg", write_jpeg}, {"tiff", write_tiff},
      {"openexr", write_exr}, {"webp", write_webp}, {"bmp", write_bmp}};
  const auto writer = writers.find(encoding.format);
  if (writer == writers.end()) throw EncodeError("no encoder is known for '" + encoding.format + "'");
  writer->second(encoding, samples, write);
}

}  // namespace gramflow::encode
