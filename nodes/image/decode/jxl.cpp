// JPEG XL through libjxl, which turns the picture upright itself and gives floats in the colours of the
// profile that it names. The first frame of an animation is read.
#include <jxl/decode.h>

#include <algorithm>

#include "nodes/image/decode/code_points.h"

namespace gramflow::decode {
namespace {

struct Destroy {
  void operator()(JxlDecoder* decoder) const { JxlDecoderDestroy(decoder); }
};

class JxlReader final : public Decoder {
 public:
  explicit JxlReader(Bytes bytes) : decoder_(JxlDecoderCreate(nullptr)) {
    if (!decoder_) throw std::bad_alloc();
    JxlDecoderSubscribeEvents(decoder_.get(),
                              JXL_DEC_BASIC_INFO | JXL_DEC_COLOR_ENCODING | JXL_DEC_FULL_IMAGE);
    JxlDecoderSetInput(decoder_.get(), bytes.data(), bytes.size());
    JxlDecoderCloseInput(decoder_.get());
    expect(JXL_DEC_BASIC_INFO);
    JxlBasicInfo info{};
    JxlDecoderGetBasicInfo(decoder_.get(), &info);
    header_.width = info.xsize;
    header_.height = info.ysize;
    header_.bits = static_cast<int>(info.bits_per_sample);
    header_.model = info.num_color_channels == 1 ? ColourModel::grey : ColourModel::rgb;
    header_.alpha = info.alpha_bits > 0;
    header_.premultiplied = header_.alpha && info.alpha_premultiplied != 0;
    header_.channels = header_.samples();
    const auto pixels = static_cast<std::size_t>(header_.width) * static_cast<std::size_t>(header_.height);
    // Floats of what is asked for and, while they are made, of what libjxl works on; measured.
    header_.working_bytes =
        pixels * static_cast<std::size_t>(header_.samples()) * 6 + (std::size_t{32} << 20);
    if (header_.width < 1 || header_.height < 1 || header_.width > (std::int64_t{1} << 30) / header_.height)
      return;
    format_ = {static_cast<std::uint32_t>(header_.samples()), JXL_TYPE_FLOAT, JXL_NATIVE_ENDIAN, 0};
    expect(JXL_DEC_COLOR_ENCODING);
    read_colours();
  }

  void read_row(float* out) override {
    const auto row = static_cast<std::size_t>(header_.width) * static_cast<std::size_t>(header_.samples());
    if (pixels_.empty()) {
      expect(JXL_DEC_NEED_IMAGE_OUT_BUFFER);
      pixels_.resize(row * static_cast<std::size_t>(header_.height));
      if (JxlDecoderSetImageOutBuffer(decoder_.get(), &format_, pixels_.data(),
                                      pixels_.size() * sizeof(float)) != JXL_DEC_SUCCESS)
        throw Damaged("it could not be decoded");
      expect(JXL_DEC_FULL_IMAGE);
    }
    std::copy_n(pixels_.data() + static_cast<std::size_t>(next_row_++) * row, row, out);
  }

 private:
  void expect(JxlDecoderStatus wanted) {
    const JxlDecoderStatus status = JxlDecoderProcessInput(decoder_.get());
    if (status == wanted) return;
    throw Damaged(status == JXL_DEC_NEED_MORE_INPUT ? "it ends early" : "its data are wrong");
  }
  void read_colours() {
    JxlColorEncoding encoding{};
    if (JxlDecoderGetColorAsEncodedProfile(decoder_.get(), &format_, JXL_COLOR_PROFILE_TARGET_DATA,
                                           &encoding) == JXL_DEC_SUCCESS &&
        (encoding.transfer_function == JXL_TRANSFER_FUNCTION_PQ ||
         encoding.transfer_function == JXL_TRANSFER_FUNCTION_HLG))
      take_code_points(header_, 1, static_cast<int>(encoding.transfer_function), "JPEG XL");
    std::size_t length = 0;
    if (JxlDecoderGetICCProfileSize(decoder_.get(), &format_, JXL_COLOR_PROFILE_TARGET_DATA, &length) !=
            JXL_DEC_SUCCESS ||
        length == 0)
      return;
    header_.profile.resize(length);
    if (JxlDecoderGetColorAsICCProfile(decoder_.get(), &format_, JXL_COLOR_PROFILE_TARGET_DATA,
                                       header_.profile.data(), length) != JXL_DEC_SUCCESS)
      header_.profile = {0};
  }

  std::unique_ptr<JxlDecoder, Destroy> decoder_;
  JxlPixelFormat format_{};
  std::vector<float> pixels_;
  std::int64_t next_row_ = 0;
};

}  // namespace

std::unique_ptr<Decoder> open_jxl(Bytes bytes) { return std::make_unique<JxlReader>(bytes); }

}  // namespace gramflow::decode
