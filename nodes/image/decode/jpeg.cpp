// JPEG through libjpeg. libjpeg ends the process on errors and prints warnings unless told otherwise: errors
// become exceptions, and each warning is judged. Most mean that pixels were made up, which makes the file
// damaged; bytes of padding between segments and unusual but complete scans do not.
//
// A progressive picture needs memory for all its coefficients, asked for when decoding starts and never by
// the header. And a short file cannot hold a large picture: each block of 8x8 takes a bit at least, so a
// header that claims more is found out before anything is asked for.
#include <cstdio>

#include <jpeglib.h>

#include <jerror.h>  // after jpeglib.h, whose settings number its messages

#include <algorithm>
#include <cstring>

#include "nodes/image/decode/byte_reader.h"
#include "nodes/image/decode/exif.h"

namespace gramflow::decode {
namespace {

std::string message_of(j_common_ptr cinfo) {
  char text[JMSG_LENGTH_MAX];
  cinfo->err->format_message(cinfo, text);
  return text;
}

class JpegDecoder final : public Decoder {
 public:
  explicit JpegDecoder(Bytes bytes) : bytes_(bytes) {
    cinfo_.err = jpeg_std_error(&errors_);
    cinfo_.client_data = this;
    errors_.error_exit = on_error;
    errors_.emit_message = on_message;
    errors_.output_message = [](j_common_ptr) {};
    try {
      jpeg_create_decompress(&cinfo_);
      open();
    } catch (...) {
      jpeg_destroy_decompress(&cinfo_);
      throw;
    }
  }
  ~JpegDecoder() override { jpeg_destroy_decompress(&cinfo_); }

  void read_row(float* out) override {
    if (row_.empty()) start();
    JSAMPROW row = row_.data();
    if (jpeg_read_scanlines(&cinfo_, &row, 1) != 1) throw Damaged("it ends early");
    const bool inverted = header_.model == ColourModel::cmyk;  // as Adobe writes them, and so everybody
    for (std::size_t i = 0; i < row_.size(); ++i) out[i] = unit8(inverted ? 255U - row_[i] : row_[i]);
    if (!damage_.empty()) throw Damaged(damage_);
  }

  void finish() override {
    jpeg_finish_decompress(&cinfo_);
    if (!damage_.empty()) throw Damaged(damage_);
  }

 private:
  [[noreturn]] static void on_error(j_common_ptr cinfo) {
    const int code = cinfo->err->msg_code;
    const std::string text = message_of(cinfo);
    if (code == JERR_BAD_PRECISION)
      throw NotRead("a JPEG of " + std::to_string(cinfo->err->msg_parm.i[0]) + " bits",
                    "convert it with another program to a TIFF or PNG of 16 bits");
    if (code == JERR_SOF_UNSUPPORTED)
      throw NotRead("a lossless or hierarchical JPEG",
                    "convert it with another program to PNG or an ordinary JPEG");
    throw Damaged(text);
  }

  static void on_message(j_common_ptr cinfo, int level) {
    if (level >= 0) return;  // tracing
    auto* self = static_cast<JpegDecoder*>(cinfo->client_data);
    const int code = cinfo->err->msg_code;
    if (code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM || code == JWRN_BOGUS_ICC) return;
    if (code == JWRN_EXTRANEOUS_DATA && self->is_padding(static_cast<std::size_t>(cinfo->err->msg_parm.i[0])))
      return;
    if (self->damage_.empty()) self->damage_ = message_of(cinfo);
  }

  // Before the first scan nothing between segments is data; after it, only bytes that are all the same are
  // padding.
  bool is_padding(std::size_t count) {
    if (!in_scans_) {
      padded_ = true;
      return true;
    }
    const std::size_t at = bytes_.size() - source_left();
    if (count > at) return false;
    const Bytes skipped = bytes_.subspan(at - count, count);
    return std::all_of(skipped.begin(), skipped.end(), [&](unsigned char b) { return b == skipped[0]; });
  }
  std::size_t source_left() const { return cinfo_.src == nullptr ? 0 : cinfo_.src->bytes_in_buffer; }

  void open() {
    jpeg_mem_src(&cinfo_, bytes_.data(), bytes_.size());
    for (const int marker : {JPEG_APP0 + 1, JPEG_APP0 + 2, JPEG_COM + 0})
      jpeg_save_markers(&cinfo_, marker, 0xFFFF);
    jpeg_read_header(&cinfo_, TRUE);
    if (!damage_.empty()) throw Damaged(damage_);
    header_.width = cinfo_.image_width;
    header_.height = cinfo_.image_height;
    header_.channels = cinfo_.num_components;
    switch (cinfo_.jpeg_color_space) {
      case JCS_GRAYSCALE:
        header_.model = ColourModel::grey;
        cinfo_.out_color_space = JCS_GRAYSCALE;
        break;
      case JCS_RGB:
      case JCS_YCbCr:
        header_.model = ColourModel::rgb;
        cinfo_.out_color_space = JCS_RGB;
        break;
      case JCS_CMYK:
      case JCS_YCCK:
        header_.model = ColourModel::cmyk;
        cinfo_.out_color_space = JCS_CMYK;
        break;
      default:
        throw NotRead(
            "a JPEG of " + std::to_string(cinfo_.num_components) + " components without a colour space",
            "convert it with another program to PNG");
    }
    judge_length();
    if (padded_) header_.notes.emplace_back("it has stray bytes between its segments, which were skipped");
    read_metadata();
    const auto row = static_cast<std::size_t>(header_.width) * static_cast<std::size_t>(header_.channels);
    header_.working_bytes = row * 64 + coefficient_bytes() + (1U << 20);
  }

  std::uint64_t coefficient_bytes() const {
    // Several scans that each hold one component only are also collected first.
    if (cinfo_.progressive_mode == FALSE && cinfo_.comps_in_scan == cinfo_.num_components) return 0;
    std::uint64_t blocks = 0;
    for (int i = 0; i < cinfo_.num_components; ++i) {
      const jpeg_component_info& component = cinfo_.comp_info[i];
      blocks +=
          (std::uint64_t{component.width_in_blocks} + 4) * (std::uint64_t{component.height_in_blocks} + 4);
    }
    return blocks * sizeof(JBLOCK);
  }

  void judge_length() const {
    if (cinfo_.arith_code != FALSE) return;  // may take less than a bit
    const std::uint64_t blocks =
        (std::uint64_t{cinfo_.image_width} / 8) * (std::uint64_t{cinfo_.image_height} / 8);
    if (blocks / 16 >
        bytes_.size())  // the finest component has that many blocks, a bit each; half of it is doubt
      throw Damaged("its header says " + std::to_string(cinfo_.image_width) + "x" +
                    std::to_string(cinfo_.image_height) + " pixels, which " + std::to_string(bytes_.size()) +
                    " bytes cannot hold");
  }

  void read_metadata() {
    constexpr std::string_view exif("Exif\0\0", 6);
    constexpr std::string_view xmp("http://ns.adobe.com/xap/1.0/\0", 29);
    JOCTET* profile = nullptr;
    unsigned length = 0;
    bool profile_parts = false;
    for (jpeg_saved_marker_ptr marker = cinfo_.marker_list; marker != nullptr; marker = marker->next) {
      const Bytes data(marker->data, marker->data_length);
      const ByteReader read(data);
      if (marker->marker == JPEG_APP0 + 1 && read.is(0, exif) && exif_.empty())
        exif_ = data.subspan(exif.size());
      if (marker->marker == JPEG_APP0 + 1 && read.is(0, xmp) && header_.xmp.empty())
        header_.xmp.assign(data.begin() + static_cast<std::ptrdiff_t>(xmp.size()), data.end());
      if (marker->marker == JPEG_APP0 + 2 && read.is(0, std::string_view("ICC_PROFILE\0", 12)))
        profile_parts = true;
      if (marker->marker == JPEG_COM)
        header_.description.assign(data.begin(), std::find(data.begin(), data.end(), 0));
    }
    if (profile_parts && jpeg_read_icc_profile(&cinfo_, &profile, &length) != FALSE) {
      header_.profile.assign(profile, profile + length);
      std::free(profile);
    } else if (profile_parts) {
      header_.profile = {
          0};  // there is one, but in pieces that do not fit: broken, as the colours' file will say
    }
    if (!exif_.empty()) take_exif(header_, exif_);
  }

  void start() {
    in_scans_ = true;
    jpeg_start_decompress(&cinfo_);
    if (cinfo_.output_components != samples_of(header_.model))
      throw Damaged("its components do not fit its header");
    row_.resize(static_cast<std::size_t>(header_.width) * static_cast<std::size_t>(cinfo_.output_components));
  }

  Bytes bytes_;
  Bytes exif_;
  jpeg_decompress_struct cinfo_{};
  jpeg_error_mgr errors_{};
  std::vector<JSAMPLE> row_;
  std::string damage_;
  bool in_scans_ = false;
  bool padded_ = false;
};

}  // namespace

std::unique_ptr<Decoder> open_jpeg(Bytes bytes) { return std::make_unique<JpegDecoder>(bytes); }

}  // namespace gramflow::decode
