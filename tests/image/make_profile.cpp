#include "tests/image/make_profile.h"

#include <doctest/doctest.h>
#include <lcms2.h>

#include <algorithm>
#include <cmath>

namespace gramflow::test {
namespace {

std::string saved(cmsHPROFILE profile) {
  cmsUInt32Number size = 0;
  REQUIRE(cmsSaveProfileToMem(profile, nullptr, &size) != 0);
  std::string bytes(size, '\0');
  REQUIRE(cmsSaveProfileToMem(profile, bytes.data(), &size) != 0);
  cmsCloseProfile(profile);
  return bytes;
}

std::string rgb_profile(const cmsCIExyY& white, const cmsCIExyYTRIPLE& colours, double gamma) {
  const cmsFloat64Number srgb[5] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
  cmsToneCurve* curve =
      gamma == 0 ? cmsBuildParametricToneCurve(nullptr, 4, srgb) : cmsBuildGamma(nullptr, gamma);
  cmsToneCurve* curves[3] = {curve, curve, curve};
  const cmsHPROFILE profile = cmsCreateRGBProfile(&white, &colours, curves);
  cmsFreeToneCurve(curve);
  return saved(profile);
}

std::string grey_profile(double gamma) {
  cmsToneCurve* curve = cmsBuildGamma(nullptr, gamma);
  const cmsHPROFILE profile = cmsCreateGrayProfile(cmsD50_xyY(), curve);
  cmsFreeToneCurve(curve);
  return saved(profile);
}

/// Inks that are duller than the plain formula's, as a table of 9 steps a side.
int ink_to_lab(const cmsUInt16Number in[], cmsUInt16Number out[], void* to_lab) {
  const auto ink = [&](int i) { return in[i] / 65535.0; };
  double rgb[3];
  for (int i = 0; i < 3; ++i)
    rgb[i] = (1 - 0.85 * ink(i)) * (1 - 0.9 * ink(3)) * (1 - 0.1 * ink((i + 1) % 3));
  cmsCIELab lab;
  cmsDoTransform(to_lab, rgb, &lab, 1);
  cmsFloat2LabEncoded(out, &lab);
  return 1;
}

std::string cmyk_profile() {
  const cmsHPROFILE srgb = cmsCreate_sRGBProfile();
  const cmsHPROFILE lab = cmsCreateLab4Profile(nullptr);
  const cmsHTRANSFORM to_lab =
      cmsCreateTransform(srgb, TYPE_RGB_DBL, lab, TYPE_Lab_DBL, INTENT_PERCEPTUAL, 0);
  cmsPipeline* pipeline = cmsPipelineAlloc(nullptr, 4, 3);
  cmsStage* table = cmsStageAllocCLut16bit(nullptr, 9, 4, 3, nullptr);
  cmsStageSampleCLut16bit(table, ink_to_lab, to_lab, 0);
  cmsPipelineInsertStage(pipeline, cmsAT_END, cmsStageAllocToneCurves(nullptr, 4, nullptr));
  cmsPipelineInsertStage(pipeline, cmsAT_END, table);
  cmsPipelineInsertStage(pipeline, cmsAT_END, cmsStageAllocToneCurves(nullptr, 3, nullptr));
  const cmsHPROFILE profile = cmsCreateProfilePlaceholder(nullptr);
  cmsSetProfileVersion(profile, 2.1);
  cmsSetDeviceClass(profile, cmsSigOutputClass);
  cmsSetColorSpace(profile, cmsSigCmykData);
  cmsSetPCS(profile, cmsSigLabData);
  cmsWriteTag(profile, cmsSigAToB0Tag, pipeline);
  cmsPipelineFree(pipeline);
  cmsDeleteTransform(to_lab);
  cmsCloseProfile(srgb);
  cmsCloseProfile(lab);
  return saved(profile);
}

}  // namespace

std::vector<NamedProfile> profiles() {
  const cmsCIExyY d65{0.3127, 0.3290, 1};
  const cmsCIExyY d50{0.3457, 0.3585, 1};
  const cmsCIExyYTRIPLE srgb{{0.64, 0.33, 1}, {0.30, 0.60, 1}, {0.15, 0.06, 1}};
  const cmsCIExyYTRIPLE p3{{0.68, 0.32, 1}, {0.265, 0.69, 1}, {0.15, 0.06, 1}};
  const cmsCIExyYTRIPLE adobe{{0.64, 0.33, 1}, {0.21, 0.71, 1}, {0.15, 0.06, 1}};
  const cmsCIExyYTRIPLE prophoto{{0.7347, 0.2653, 1}, {0.1596, 0.8404, 1}, {0.0366, 0.0001, 1}};
  const cmsCIExyYTRIPLE bt2020{{0.708, 0.292, 1}, {0.170, 0.797, 1}, {0.131, 0.046, 1}};
  const cmsCIExyYTRIPLE apple{{0.625, 0.34, 1}, {0.28, 0.595, 1}, {0.155, 0.07, 1}};
  return {{"Display P3", 3, rgb_profile(d65, p3, 0)},
          {"Adobe RGB", 3, rgb_profile(d65, adobe, 563.0 / 256)},
          {"ProPhoto", 3, rgb_profile(d50, prophoto, 1.8)},
          {"BT.2020", 3, rgb_profile(d65, bt2020, 2.4)},
          {"Apple RGB", 3, rgb_profile(d65, apple, 1.8)},
          {"sRGB colours, gamma 1.8", 3, rgb_profile(d65, srgb, 1.8)},
          {"linear", 3, rgb_profile(d65, srgb, 1)},
          {"grey gamma 1.8", 1, grey_profile(1.8)},
          {"grey gamma 2.2", 1, grey_profile(2.2)},
          {"CMYK", 4, cmyk_profile()}};
}

std::vector<float> to_srgb(const NamedProfile& profile, const std::vector<float>& pixels) {
  const cmsHPROFILE from =
      cmsOpenProfileFromMem(profile.icc.data(), static_cast<cmsUInt32Number>(profile.icc.size()));
  const cmsHPROFILE to = cmsCreate_sRGBProfile();
  const cmsUInt32Number format = profile.channels == 1   ? TYPE_GRAY_FLT
                                 : profile.channels == 3 ? TYPE_RGB_FLT
                                                         : TYPE_CMYK_FLT;
  const cmsHTRANSFORM transform =
      cmsCreateTransform(from, format, to, TYPE_RGB_FLT, INTENT_PERCEPTUAL, cmsFLAGS_NOOPTIMIZE);
  REQUIRE(transform != nullptr);
  std::vector<float> in = pixels;
  if (profile.channels == 4)
    for (float& value : in) value *= 100;
  const std::size_t count = pixels.size() / static_cast<std::size_t>(profile.channels);
  std::vector<float> out(count * 3);
  cmsDoTransform(transform, in.data(), out.data(), static_cast<cmsUInt32Number>(count));
  for (float& value : out) value = std::clamp(value, 0.0F, 1.0F);
  cmsDeleteTransform(transform);
  cmsCloseProfile(from);
  cmsCloseProfile(to);
  return out;
}

}  // namespace gramflow::test
