// BMP, by ourselves: no library in Debian reads it whole without a program of pictures around it, and
// OpenImageIO misplaces the channels of 32 bits. Headers of OS/2 and Windows 2 to 5; 1, 2, 4, 8, 16, 24 and
// 32 bits; channels by masks; RLE4 and RLE8. Rows stand from the bottom up, unless the height is negative.
//
// RLE may leave pixels out (it skips, ends a line or the picture early): they have the palette's first
// colour.
#include <algorithm>
#include <array>
#include <bit>

#include "nodes/image/decode/byte_reader.h"

namespace gramflow::decode {
namespace {

constexpr const char* advice = "convert it with another program to PNG";

struct Mask {
  std::uint32_t bits = 0;
  float value(std::uint32_t pixel) const {
    if (bits == 0) return 0;
    const int shift = std::countr_zero(bits);
    const std::uint32_t most = bits >> shift;
    const std::uint32_t found = (pixel & bits) >> shift;
    return most == 255 ? unit8(found)
                       : static_cast<float>(static_cast<double>(found) / static_cast<double>(most));
  }
};

class BmpDecoder final : public Decoder {
 public:
  explicit BmpDecoder(Bytes bytes) : file_(bytes) {
    read_header();
    if (header_.width < 1 || header_.height < 1) return;
    choose_layout();
  }

  void read_row(float* out) override {
    if (run_length_ && indices_.empty()) unpack_runs();
    const std::int64_t row = top_down_ ? next_row_ : header_.height - 1 - next_row_;
    ++next_row_;
    const auto width = static_cast<std::size_t>(header_.width);
    if (run_length_) {
      for (std::size_t x = 0; x < width; ++x)
        out = put_index(indices_[static_cast<std::size_t>(row) * width + x], out);
      return;
    }
    const Bytes line = file_.part(pixels_ + static_cast<std::uint64_t>(row) * stride_, line_bytes_);
    if (bits_ <= 8) {
      const std::size_t in_byte = 8U / static_cast<unsigned>(bits_);
      for (std::size_t x = 0; x < width; ++x) {
        const std::size_t shift = (in_byte - 1 - x % in_byte) * static_cast<std::size_t>(bits_);
        out = put_index(line[x / in_byte] >> shift & ((1U << bits_) - 1), out);
      }
      return;
    }
    const ByteReader read(line);
    const auto step = static_cast<std::size_t>(bits_ / 8);
    for (std::size_t x = 0; x < width; ++x) {
      if (bits_ == 24) {
        for (std::size_t c = 0; c < 3; ++c) *out++ = unit8(line[3 * x + 2 - c]);
      } else {
        const std::uint32_t pixel = bits_ == 16 ? read.u16(x * step) : read.u32(x * step);
        for (const Mask& mask : colour_) *out++ = mask.value(pixel);
        if (header_.alpha) *out++ = alpha_.value(pixel);
      }
    }
  }

 private:
  void read_header() {
    const std::uint32_t length = file_.u32(14);
    if (length == 12) {  // OS/2 1.x
      header_.width = file_.u16(18);
      header_.height = file_.u16(20);
      bits_ = file_.u16(24);
    } else if (length >= 16 && length <= 124) {
      header_.width = file_.i32(18);
      const std::int64_t height = file_.i32(22);
      top_down_ = height < 0;
      header_.height = std::abs(height);
      bits_ = file_.u16(28);
      if (length >= 20) compression_ = file_.u32(30);
      if (length >= 36) colours_ = file_.u32(46);
    } else {
      throw NotRead("a BMP with a header of " + std::to_string(length) + " bytes", advice);
    }
    header_length_ = length;
    header_.bits = 8;
    header_.channels = 3;
  }

  void choose_layout() {
    const bool os2 = header_length_ == 64 || header_length_ == 16;
    if (compression_ == 4 || compression_ == 5) {
      if (os2) throw NotRead("an OS/2 BMP of 24-bit runs", advice);
      throw NotRead(compression_ == 4 ? "a BMP that wraps a JPEG" : "a BMP that wraps a PNG", advice);
    }
    if (compression_ == 3 && os2) throw NotRead("an OS/2 BMP of Huffman's compression", advice);
    const bool masks = compression_ == 3 || compression_ == 6;
    run_length_ = compression_ == 1 || compression_ == 2;
    if (compression_ > 3 && !masks)
      throw NotRead("a BMP of compression " + std::to_string(compression_), advice);
    if (bits_ != 1 && bits_ != 2 && bits_ != 4 && bits_ != 8 && bits_ != 16 && bits_ != 24 && bits_ != 32)
      throw NotRead("a BMP of " + std::to_string(bits_) + " bits", advice);
    if (run_length_ && bits_ != (compression_ == 1 ? 8 : 4)) throw Damaged("its runs do not fit its bits");
    pixels_ = file_.u32(10);
    if (bits_ <= 8) read_palette();
    if (bits_ == 16) colour_ = {Mask{0x7C00}, Mask{0x3E0}, Mask{0x1F}};
    if (bits_ == 32) colour_ = {Mask{0xFF0000}, Mask{0xFF00}, Mask{0xFF}};
    if (masks && (bits_ == 16 || bits_ == 32)) read_masks();
    // A file that says where its channels lie may say where alpha lies; without, the fourth byte means
    // nothing.
    header_.channels = header_.alpha ? 4 : 3;
    if (header_length_ == 124 && file_.u32(14 + 56) == 0x4D424544) {  // "MBED"
      const std::uint64_t at = 14 + std::uint64_t{file_.u32(14 + 112)};
      const Bytes profile =
          file_.has(at, file_.u32(14 + 116)) ? file_.part(at, file_.u32(14 + 116)) : Bytes();
      header_.profile.assign(profile.begin(), profile.end());
      if (profile.empty()) header_.profile = {0};  // it says that there is one: a broken one
    }
    const auto width = static_cast<std::uint64_t>(header_.width);
    line_bytes_ = (width * static_cast<unsigned>(bits_) + 7) / 8;
    stride_ = (line_bytes_ + 3) / 4 * 4;
    if (run_length_) {
      header_.working_bytes = width * static_cast<std::uint64_t>(header_.height);
      if (top_down_) throw Damaged("its runs stand from the top down, which they may not");
    } else {  // the last row's padding may lack
      file_.part(pixels_, stride_ * static_cast<std::uint64_t>(header_.height - 1) + line_bytes_);
    }
  }

  void read_palette() {
    const std::uint64_t at =
        14 + std::uint64_t{header_length_} + (header_length_ == 40 && compression_ == 3 ? 12 : 0);
    const std::uint64_t entry = header_length_ == 12 ? 3 : 4;
    std::uint64_t count = std::uint64_t{1} << bits_;
    if (colours_ != 0 && header_length_ != 12) count = std::min<std::uint64_t>(count, colours_);
    if (pixels_ > at) count = std::min(count, (pixels_ - at) / entry);
    for (std::uint64_t i = 0; i < count; ++i) {
      const Bytes colour = file_.part(at + i * entry, 3);
      palette_.push_back({unit8(colour[2]), unit8(colour[1]), unit8(colour[0])});
    }
    if (palette_.empty()) throw Damaged("its palette is missing");
  }

  void read_masks() {
    for (std::size_t c = 0; c < 3; ++c) colour_[c].bits = file_.u32(54 + 4 * c);
    if (header_length_ >= 56 || compression_ == 6) alpha_.bits = file_.u32(66);
    for (const Mask& mask : {colour_[0], colour_[1], colour_[2], alpha_}) {
      const std::uint32_t low = mask.bits == 0 ? 0 : mask.bits >> std::countr_zero(mask.bits);
      if ((low & (low + 1)) != 0) throw NotRead("a BMP whose channels lie in torn bits", advice);
    }
    header_.alpha = alpha_.bits != 0;
  }

  float* put_index(unsigned index, float* out) const {
    if (index >= palette_.size()) throw Damaged("it names a colour that its palette has not");
    return std::copy(palette_[index].begin(), palette_[index].end(), out);
  }

  // Codes of two bytes: a count and an index; or 0 and: end of line, end of picture, a jump, or indices as
  // they are.
  void unpack_runs() {
    const auto width = static_cast<std::size_t>(header_.width);
    const auto height = static_cast<std::size_t>(header_.height);
    indices_.assign(width * height, 0);
    std::size_t x = 0;
    std::size_t y = 0;
    std::uint64_t at = pixels_;
    const auto put = [&](unsigned index) {
      if (y < height && x < width) indices_[y * width + x] = static_cast<std::uint8_t>(index);
      ++x;
    };
    while (y < height) {
      if (y + 1 == height && x >= width && !file_.has(at, 2))
        return;  // every pixel is there, only the end mark lacks
      const unsigned count = file_.u8(at);
      const unsigned value = file_.u8(at + 1);
      at += 2;
      if (count > 0) {
        for (unsigned i = 0; i < count; ++i) put(bits_ == 8 ? value : i % 2 == 0 ? value >> 4 : value & 15U);
      } else if (value == 0) {
        x = 0;
        ++y;
      } else if (value == 1) {
        return;
      } else if (value == 2) {
        x += file_.u8(at);
        y += file_.u8(at + 1);
        at += 2;
      } else {
        const std::uint64_t bytes = bits_ == 8 ? value : (value + 1) / 2;
        const Bytes plain = file_.part(at, bytes);
        for (unsigned i = 0; i < value; ++i)
          put(bits_ == 8 ? plain[i] : i % 2 == 0 ? plain[i / 2] >> 4 : plain[i / 2] & 15U);
        at += (bytes + 1) / 2 * 2;
      }
    }
  }

  ByteReader file_;
  std::uint32_t header_length_ = 0;
  std::uint32_t compression_ = 0;
  std::uint32_t colours_ = 0;
  int bits_ = 0;
  bool top_down_ = false;
  bool run_length_ = false;
  std::uint64_t pixels_ = 0;
  std::uint64_t line_bytes_ = 0;
  std::uint64_t stride_ = 0;
  std::vector<std::array<float, 3>> palette_;
  std::array<Mask, 3> colour_;
  Mask alpha_;
  std::vector<std::uint8_t> indices_;
  std::int64_t next_row_ = 0;
};

}  // namespace

std::unique_ptr<Decoder> open_bmp(Bytes bytes) { return std::make_unique<BmpDecoder>(bytes); }

}  // namespace gramflow::decode
