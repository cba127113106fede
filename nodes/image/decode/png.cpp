// PNG through libpng. Rows come one by one; an interlaced picture is read whole first. libpng may not print:
// its errors become exceptions and its warnings are about chunks that are not needed. Of XMP only the bytes
// are kept.
#include <png.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "nodes/image/decode/byte_reader.h"
#include "nodes/image/decode/code_points.h"
#include "nodes/image/decode/exif.h"

namespace gramflow::decode {
namespace {

[[noreturn]] void on_error(png_structp, png_const_charp message) { throw Damaged(message); }
void on_warning(png_structp, png_const_charp) {}

class PngDecoder final : public Decoder {
 public:
  explicit PngDecoder(Bytes bytes) : bytes_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ == nullptr) throw std::bad_alloc();
    info_ = png_create_info_struct(png_);
    if (info_ == nullptr) throw std::bad_alloc();
    try {
      open();
    } catch (...) {
      png_destroy_read_struct(&png_, &info_, nullptr);
      throw;
    }
  }
  ~PngDecoder() override { png_destroy_read_struct(&png_, &info_, nullptr); }

  void read_row(float* out) override {
    if (interlaced_ && whole_.empty()) read_whole();
    if (!interlaced_) {
      row_.resize(row_bytes_);
      png_read_row(png_, row_.data(), nullptr);
    }
    const unsigned char* row = interlaced_ ? whole_.data() + next_row_ * row_bytes_ : row_.data();
    ++next_row_;
    const auto count = static_cast<std::size_t>(header_.width) * static_cast<std::size_t>(header_.samples());
    if (header_.bits == 16) {
      for (std::size_t i = 0; i < count; ++i)
        out[i] = unit16(static_cast<unsigned>(row[2 * i] << 8 | row[2 * i + 1]));
    } else {
      for (std::size_t i = 0; i < count; ++i) out[i] = unit8(row[i]);
    }
  }

  void finish() override {
    try {
      png_read_end(png_, nullptr);
    } catch (const Damaged&) {
      if (!ended_) throw;  // behind the last pixel a file may end without its mark
    }
  }

 private:
  static void read_bytes(png_structp png, png_bytep to, png_size_t count) {
    auto* self = static_cast<PngDecoder*>(png_get_io_ptr(png));
    if (count > self->bytes_.size() - self->at_) {
      self->ended_ = true;
      png_error(png, "it ends early");
    }
    std::memcpy(to, self->bytes_.data() + self->at_, count);
    self->at_ += count;
  }

  void open() {
    png_set_read_fn(png_, this, read_bytes);
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_set_chunk_malloc_max(png_, 16U << 20);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_ALWAYS, reinterpret_cast<const png_byte*>("cICP"), 1);
    png_read_info(png_, info_);
    header_.width = png_get_image_width(png_, info_);
    header_.height = png_get_image_height(png_, info_);
    const int kind = png_get_color_type(png_, info_);
    const int bits = png_get_bit_depth(png_, info_);
    header_.channels = kind == PNG_COLOR_TYPE_PALETTE ? 3 : png_get_channels(png_, info_);
    header_.bits = bits == 16 ? 16 : 8;
    header_.alpha = (kind & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png_, info_, PNG_INFO_tRNS) != 0;
    if (header_.alpha && (kind & PNG_COLOR_MASK_ALPHA) == 0) ++header_.channels;
    header_.model = (kind & PNG_COLOR_MASK_COLOR) != 0 ? ColourModel::rgb : ColourModel::grey;
    interlaced_ = png_get_interlace_type(png_, info_) != PNG_INTERLACE_NONE;
    read_metadata();
    png_set_expand(png_);  // palettes, few bits and the transparent colour
    if (interlaced_) png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    const std::size_t row_bytes = png_get_rowbytes(png_, info_);
    const std::size_t expected = static_cast<std::size_t>(header_.width) *
                                 static_cast<std::size_t>(header_.samples()) *
                                 static_cast<std::size_t>(header_.bits / 8);
    if (row_bytes != expected) throw Damaged("its rows are of another length than its header says");
    header_.working_bytes =
        row_bytes * 4 + (interlaced_ ? row_bytes * static_cast<std::size_t>(header_.height) : 0);
    row_bytes_ = row_bytes;
  }

  void read_metadata() {
    png_charp name = nullptr;
    png_bytep profile = nullptr;
    png_uint_32 length = 0;
    int method = 0;
    if (png_get_iCCP(png_, info_, &name, &method, &profile, &length) != 0)
      header_.profile.assign(profile, profile + length);
    read_colour_chunks();
    png_textp texts = nullptr;
    int count = 0;
    png_get_text(png_, info_, &texts, &count);
    for (int i = 0; i < count; ++i) {
      const std::string key = texts[i].key == nullptr ? "" : texts[i].key;
      const std::string text = texts[i].text == nullptr ? "" : texts[i].text;
      if (key == "Software") header_.software = text;
      if (key == "Description" || key == "ImageDescription") header_.description = text;
      if (key == "XML:com.adobe.xmp") header_.xmp.assign(text.begin(), text.end());
    }
    png_bytep exif = nullptr;
    if (png_get_eXIf_1(png_, info_, &length, &exif) != 0) take_exif(header_, Bytes(exif, length));
  }

  // Without a profile: the primaries and the exponent, unless the sRGB chunk says that they are sRGB's.
  void read_colour_chunks() {
    if (!header_.profile.empty() || png_get_valid(png_, info_, PNG_INFO_sRGB) != 0) return;
    if (read_code_points()) return;
    Primaries found;
    double exponent = 0;
    const bool has_gamma = png_get_gAMA(png_, info_, &exponent) != 0 && exponent > 0;
    // 1/2.2 is how writers say sRGB in this chunk; anything near is meant so.
    const bool srgb_curve = !has_gamma || std::abs(exponent * 2.2 - 1) < 0.05;
    if (!srgb_curve) found.gamma = 1 / exponent;
    double* xy = found.xy;
    const bool has_primaries =
        png_get_cHRM(png_, info_, xy, xy + 1, xy + 2, xy + 3, xy + 4, xy + 5, xy + 6, xy + 7) != 0;
    if (!has_primaries && srgb_curve) return;
    header_.has_primaries = true;
    header_.primaries = found;
  }

  // cICP: the code points of ITU-T H.273 for primaries and curve.
  bool read_code_points() {
    png_unknown_chunkp chunks = nullptr;
    const int count = png_get_unknown_chunks(png_, info_, &chunks);
    for (int i = 0; i < count; ++i) {
      if (std::memcmp(chunks[i].name, "cICP", 4) != 0 || chunks[i].size < 4) continue;
      take_code_points(header_, chunks[i].data[0], chunks[i].data[1], "PNG");
      return true;
    }
    return false;
  }

  void read_whole() {
    const auto height = static_cast<std::size_t>(header_.height);
    whole_.resize(row_bytes_ * height);
    std::vector<png_bytep> rows(height);
    for (std::size_t y = 0; y < height; ++y) rows[y] = whole_.data() + y * row_bytes_;
    png_read_image(png_, rows.data());
  }

  Bytes bytes_;
  std::size_t at_ = 0;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  bool interlaced_ = false;
  bool ended_ = false;
  std::size_t row_bytes_ = 0;
  std::vector<unsigned char> row_;
  std::vector<unsigned char> whole_;
  std::size_t next_row_ = 0;
};

}  // namespace

std::unique_ptr<Decoder> open_png(Bytes bytes) { return std::make_unique<PngDecoder>(bytes); }

}  // namespace gramflow::decode
