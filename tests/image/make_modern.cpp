#include "tests/image/make_modern.h"

#include <doctest/doctest.h>
#include <jxl/encode.h>
#include <libheif/heif.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/image/make_files.h"

namespace gramflow::test {
namespace {

unsigned level(float value, int bits) {
  return static_cast<unsigned>(std::lround(value * static_cast<float>((1 << bits) - 1)));
}

heif_image* heif_picture(const Picture& picture, const ModernFile& file) {
  const bool wide = file.bits > 8;
  const heif_chroma chroma = file.alpha
                                 ? (wide ? heif_chroma_interleaved_RRGGBBAA_LE : heif_chroma_interleaved_RGBA)
                                 : (wide ? heif_chroma_interleaved_RRGGBB_LE : heif_chroma_interleaved_RGB);
  heif_image* image = nullptr;
  heif_image_create(picture.width, picture.height, heif_colorspace_RGB, chroma, &image);
  heif_image_add_plane(image, heif_channel_interleaved, picture.width, picture.height, file.bits);
  int stride = 0;
  std::uint8_t* plane = heif_image_get_plane(image, heif_channel_interleaved, &stride);
  const int channels = file.alpha ? 4 : 3;
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x)
      for (int c = 0; c < channels; ++c) {
        const float value =
            c == 3 ? (x < picture.width / 2 ? 0.5F : 1.0F) : picture.pixel(x, y)[static_cast<std::size_t>(c)];
        const unsigned found = level(value, file.bits);
        std::uint8_t* to = plane + y * stride + (x * channels + c) * (wide ? 2 : 1);
        to[0] = static_cast<std::uint8_t>(found);
        if (wide) to[1] = static_cast<std::uint8_t>(found >> 8);
      }
  if (file.primaries != 0) {
    heif_color_profile_nclx* colours = heif_nclx_color_profile_alloc();
    heif_nclx_color_profile_set_color_primaries(colours, static_cast<std::uint16_t>(file.primaries));
    heif_nclx_color_profile_set_transfer_characteristics(colours, static_cast<std::uint16_t>(file.transfer));
    heif_nclx_color_profile_set_matrix_coefficients(colours, 1);
    heif_image_set_nclx_color_profile(image, colours);
    heif_nclx_color_profile_free(colours);
  }
  return image;
}

bool write_heif(const std::string& path, const Picture& picture, const ModernFile& file) {
  heif_context* context = heif_context_alloc();
  heif_encoder* encoder = nullptr;
  const heif_compression_format format = file.kind == "avif" ? heif_compression_AV1 : heif_compression_HEVC;
  if (heif_context_get_encoder_for_format(context, format, &encoder).code != heif_error_Ok) {
    heif_context_free(context);
    return false;
  }
  heif_encoder_set_lossless(encoder, 0);
  heif_encoder_set_lossy_quality(encoder, 100);
  heif_encoder_set_parameter_string(encoder, "chroma", "444");
  if (file.kind == "avif") heif_encoder_set_parameter_integer(encoder, "speed", 8);
  heif_image* image = heif_picture(picture, file);
  heif_encoding_options* options = heif_encoding_options_alloc();
  const heif_orientation turns[] = {heif_orientation_normal, heif_orientation_rotate_90_cw,
                                    heif_orientation_rotate_180, heif_orientation_rotate_270_cw};
  options->macOS_compatibility_workaround_no_nclx_profile = 0;
  options->image_orientation = turns[(4 - file.turned) % 4];
  heif_image_handle* handle = nullptr;
  const heif_error error = heif_context_encode_image(context, image, encoder, options, &handle);
  REQUIRE_MESSAGE(error.code == heif_error_Ok, error.message);
  if (file.exif_turned) {
    const unsigned char exif[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0,
                                  3,   0,   0, 0,  1, 0, 6, 0, 0, 0, 0, 0,    0};
    heif_context_add_exif_metadata(context, handle, exif, sizeof exif);
  }
  REQUIRE(heif_context_write_to_file(context, path.c_str()).code == heif_error_Ok);
  heif_image_handle_release(handle);
  heif_encoding_options_free(options);
  heif_image_release(image);
  heif_encoder_release(encoder);
  heif_context_free(context);
  return true;
}

bool write_jxl(const std::string& path, const Picture& picture, const ModernFile& file) {
  JxlEncoder* encoder = JxlEncoderCreate(nullptr);
  JxlBasicInfo info;
  JxlEncoderInitBasicInfo(&info);
  info.xsize = static_cast<std::uint32_t>(picture.width);
  info.ysize = static_cast<std::uint32_t>(picture.height);
  info.bits_per_sample = static_cast<std::uint32_t>(file.bits);
  info.uses_original_profile = JXL_TRUE;
  const JxlOrientation turns[] = {JXL_ORIENT_IDENTITY, JXL_ORIENT_ROTATE_90_CCW, JXL_ORIENT_ROTATE_180,
                                  JXL_ORIENT_ROTATE_90_CW};
  info.orientation = turns[file.turned];
  if (file.alpha) {
    info.num_extra_channels = 1;
    info.alpha_bits = static_cast<std::uint32_t>(file.bits);
  }
  REQUIRE(JxlEncoderSetBasicInfo(encoder, &info) == JXL_ENC_SUCCESS);
  JxlColorEncoding colours;
  JxlColorEncodingSetToSRGB(&colours, JXL_FALSE);
  if (file.primaries == 12) colours.primaries = JXL_PRIMARIES_P3;
  colours.transfer_function = static_cast<JxlTransferFunction>(file.transfer);
  REQUIRE(JxlEncoderSetColorEncoding(encoder, &colours) == JXL_ENC_SUCCESS);
  JxlEncoderFrameSettings* settings = JxlEncoderFrameSettingsCreate(encoder, nullptr);
  JxlEncoderSetFrameLossless(settings, JXL_TRUE);
  const int channels = file.alpha ? 4 : 3;
  std::vector<std::uint16_t> wide;
  std::vector<std::uint8_t> narrow;
  for (int y = 0; y < picture.height; ++y)
    for (int x = 0; x < picture.width; ++x)
      for (int c = 0; c < channels; ++c) {
        const float value =
            c == 3 ? (x < picture.width / 2 ? 0.5F : 1.0F) : picture.pixel(x, y)[static_cast<std::size_t>(c)];
        wide.push_back(static_cast<std::uint16_t>(level(value, file.bits)));
        narrow.push_back(static_cast<std::uint8_t>(wide.back()));
      }
  const JxlPixelFormat format{static_cast<std::uint32_t>(channels),
                              file.bits > 8 ? JXL_TYPE_UINT16 : JXL_TYPE_UINT8, JXL_NATIVE_ENDIAN, 0};
  const void* data = file.bits > 8 ? static_cast<const void*>(wide.data()) : narrow.data();
  const std::size_t bytes = file.bits > 8 ? wide.size() * 2 : narrow.size();
  REQUIRE(JxlEncoderAddImageFrame(settings, &format, data, bytes) == JXL_ENC_SUCCESS);
  JxlEncoderCloseInput(encoder);
  std::string out(1 << 20, '\0');
  auto* next = reinterpret_cast<std::uint8_t*>(out.data());
  std::size_t left = out.size();
  REQUIRE(JxlEncoderProcessOutput(encoder, &next, &left) == JXL_ENC_SUCCESS);
  JxlEncoderDestroy(encoder);
  put_bytes(path, out.substr(0, out.size() - left));
  return true;
}

}  // namespace

bool write_modern(const std::string& path, const Picture& picture, const ModernFile& file) {
  return file.kind == "jxl" ? write_jxl(path, picture, file) : write_heif(path, picture, file);
}

}  // namespace gramflow::test
