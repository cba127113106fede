// TIFF through libtiff, which undoes compression and byte order; what the samples mean is decided here, from
// the tags, before a pixel is read: every combination is either known to be read right or refused by its
// name. Strips and tiles are one thing: blocks of the picture, each decoded whole into a buffer of the size
// that libtiff says, one block row at a time. Colours that are stored as brightness and differences go
// through libtiff's own conversion (to 8-bit RGBA).
#include <tiffio.h>

#include <algorithm>
#include <array>

#include "nodes/image/decode/exif.h"
#include "nodes/image/decode/oiio_module.h"
#include "nodes/image/decode/samples.h"
#include "nodes/image/decode/tiff_input.h"

namespace gramflow::decode {
namespace {

constexpr const char* convert_advice = "convert it with another program to PNG, or to a TIFF of 8 or 16 bits";

class TiffDecoder final : public Decoder {
 public:
  explicit TiffDecoder(Bytes bytes) : bytes_(bytes), file_(bytes), tiff_(file_.tiff()) { open(); }

  void read_row(float* out) override {
    if (through_rgba_) {
      read_rgba_row(out);
    } else {
      if (next_row_ % block_height_ == 0) read_block_row();
      const std::int64_t line = next_row_ % block_height_;
      for (std::size_t across = 0; across < blocks_across_; ++across) read_block_line(across, line, out);
    }
    ++next_row_;
  }

 private:
  [[noreturn]] void damaged(const std::string& otherwise) const {
    throw Damaged(file_.said().empty() ? otherwise : file_.said());
  }

  template <class Number>
  Number tag(std::uint32_t name, Number otherwise) const {
    Number value = otherwise;
    return TIFFGetFieldDefaulted(tiff_, name, &value) != 0 ? value : otherwise;
  }
  std::string text_tag(std::uint32_t name) const {
    char* text = nullptr;
    return TIFFGetField(tiff_, name, &text) != 0 && text != nullptr ? text : "";
  }

  void open() {
    header_.width = tag<std::uint32_t>(TIFFTAG_IMAGEWIDTH, 0);
    header_.height = tag<std::uint32_t>(TIFFTAG_IMAGELENGTH, 0);
    bits_ = tag<std::uint16_t>(TIFFTAG_BITSPERSAMPLE, 1);
    stored_ = tag<std::uint16_t>(TIFFTAG_SAMPLESPERPIXEL, 1);
    photometric_ = tag<std::uint16_t>(TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    compression_ = tag<std::uint16_t>(TIFFTAG_COMPRESSION, COMPRESSION_NONE);
    planes_ = tag<std::uint16_t>(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE;
    header_.channels = stored_;
    header_.bits = bits_;
    if (stored_ == 0 || header_.width == 0 || header_.height == 0) return;  // refused by whoever asked
    if (is_camera_raw()) throw RawInTiff();
    if (TIFFIsCODECConfigured(compression_) == 0)
      throw NotRead("a TIFF of compression " + std::to_string(compression_), convert_advice);
    const int orientation = tag<std::uint16_t>(TIFFTAG_ORIENTATION, 1);
    header_.orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
    header_.software = text_tag(TIFFTAG_SOFTWARE);
    header_.description = text_tag(TIFFTAG_IMAGEDESCRIPTION);
    choose_kind();
    choose_colours();
    choose_alpha();
    std::uint32_t length = 0;
    void* data = nullptr;
    if (TIFFGetField(tiff_, TIFFTAG_ICCPROFILE, &length, &data) != 0 && !through_rgba_)
      header_.profile.assign(static_cast<unsigned char*>(data), static_cast<unsigned char*>(data) + length);
    if (TIFFGetField(tiff_, TIFFTAG_XMLPACKET, &length, &data) != 0)
      header_.xmp.assign(static_cast<unsigned char*>(data), static_cast<unsigned char*>(data) + length);
    choose_blocks();
    if (file_.cut_short()) throw Damaged("it ends early");
  }

  // DNG says so; others (NEF, ARW, PEF, CR2) put the camera's name beside a thumbnail and the rest into lists
  // below.
  bool is_camera_raw() const {
    std::uint8_t* version = nullptr;
    if (TIFFGetField(tiff_, TIFFTAG_DNGVERSION, &version) != 0 || photometric_ == PHOTOMETRIC_CFA)
      return true;
    std::uint16_t count = 0;
    void* lists = nullptr;
    const bool thumbnail = (tag<std::uint32_t>(TIFFTAG_SUBFILETYPE, 0) & FILETYPE_REDUCEDIMAGE) != 0;
    const bool canon = bytes_.size() > 10 && bytes_[8] == 'C' && bytes_[9] == 'R';
    return canon || (thumbnail && !text_tag(TIFFTAG_MAKE).empty() &&
                     TIFFGetField(tiff_, TIFFTAG_SUBIFD, &count, &lists) != 0);
  }

  // What a sample is.
  void choose_kind() {
    const int format = tag<std::uint16_t>(TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
    if (format == SAMPLEFORMAT_INT) throw NotRead("a TIFF of signed whole numbers", convert_advice);
    if (format == SAMPLEFORMAT_COMPLEXINT || format == SAMPLEFORMAT_COMPLEXIEEEFP)
      throw NotRead("a TIFF of complex numbers", convert_advice);
    if (format == SAMPLEFORMAT_IEEEFP) {
      if (bits_ != 16 && bits_ != 32 && bits_ != 64)
        throw NotRead("a TIFF of floats of " + std::to_string(bits_) + " bits", convert_advice);
      kind_ = bits_ == 16 ? SampleKind::half : bits_ == 32 ? SampleKind::single : SampleKind::twice;
      header_.floating = true;
    } else if (bits_ < 1 || bits_ > 32) {
      throw NotRead("a TIFF of " + std::to_string(bits_) + " bits a sample", convert_advice);
    }
  }

  // Which samples are the colour.
  void choose_colours() {
    switch (photometric_) {
      case PHOTOMETRIC_MINISWHITE:
      case PHOTOMETRIC_MINISBLACK:
        header_.model = ColourModel::grey;
        break;
      case PHOTOMETRIC_RGB:
        header_.model = ColourModel::rgb;
        break;
      case PHOTOMETRIC_PALETTE:
        header_.model = ColourModel::rgb;
        read_palette();
        break;
      case PHOTOMETRIC_SEPARATED:
        header_.model = ColourModel::cmyk;
        if (header_.floating) throw NotRead("a CMYK TIFF of floats", convert_advice);
        if (tag<std::uint16_t>(TIFFTAG_INKSET, INKSET_CMYK) != INKSET_CMYK || stored_ < 4)
          throw NotRead("a TIFF of other inks than cyan, magenta, yellow and black", convert_advice);
        break;
      case PHOTOMETRIC_YCBCR:
        header_.model = ColourModel::rgb;
        if (compression_ == COMPRESSION_JPEG && bits_ == 8)
          TIFFSetField(tiff_, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
        else
          go_through_rgba();
        break;
      case PHOTOMETRIC_CIELAB:
        header_.model = ColourModel::rgb;
        if (bits_ != 8 && bits_ != 16)
          throw NotRead("a CIE Lab TIFF of " + std::to_string(bits_) + " bits", convert_advice);
        go_through_rgba();
        break;
      case PHOTOMETRIC_LOGL:
      case PHOTOMETRIC_LOGLUV:
        throw NotRead("a TIFF of LogLuv samples",
                      "convert it with another program to OpenEXR or to a TIFF of floats");
      default:
        throw NotRead("a TIFF of photometric interpretation " + std::to_string(photometric_), convert_advice);
    }
    colour_samples_ = photometric_ == PHOTOMETRIC_PALETTE ? 1 : samples_of(header_.model);
    if (stored_ < colour_samples_)
      throw Damaged("it has " + std::to_string(stored_) + " samples a pixel, fewer than its colours");
  }

  void read_palette() {
    if (header_.floating || bits_ > 16)
      throw NotRead("a palette TIFF of " + std::to_string(bits_) + " bits", convert_advice);
    std::uint16_t* columns[3] = {};
    if (TIFFGetField(tiff_, TIFFTAG_COLORMAP, &columns[0], &columns[1], &columns[2]) == 0)
      damaged("its palette is missing");
    const std::size_t count = std::size_t{1} << bits_;
    palette_.resize(count);
    bool wide = false;  // some writers put 8 bits where 16 belong
    for (const auto* column : columns)
      wide = wide || std::any_of(column, column + count, [](unsigned v) { return v > 255; });
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t c = 0; c < 3; ++c)
        palette_[i][c] = wide ? unit16(columns[c][i]) : unit8(columns[c][i]);
  }

  void choose_alpha() {
    std::uint16_t count = 0;
    std::uint16_t* kinds = nullptr;
    TIFFGetField(tiff_, TIFFTAG_EXTRASAMPLES, &count, &kinds);
    for (int i = 0; i < count && i + colour_samples_ < stored_ && alpha_at_ < 0; ++i)
      if (kinds[i] == EXTRASAMPLE_ASSOCALPHA || kinds[i] == EXTRASAMPLE_UNASSALPHA) {
        alpha_at_ = colour_samples_ + i;
        header_.alpha = true;
        header_.premultiplied = kinds[i] == EXTRASAMPLE_ASSOCALPHA;
      }
    if (photometric_ == PHOTOMETRIC_PALETTE) header_.premultiplied = false;  // nobody multiplies an index
    if (stored_ > colour_samples_ + (header_.alpha ? 1 : 0) && !through_rgba_)
      header_.notes.emplace_back("channels other than its colours are left out");
    if (through_rgba_) header_.alpha = header_.premultiplied = false, alpha_at_ = -1;
  }

  void choose_blocks() {
    const auto width = static_cast<std::size_t>(header_.width);
    if (through_rgba_) {
      header_.working_bytes = width * static_cast<std::size_t>(header_.height) * 4;
      return;
    }
    tiled_ = TIFFIsTiled(tiff_) != 0;
    if (tiled_) {
      block_width_ = tag<std::uint32_t>(TIFFTAG_TILEWIDTH, 0);
      block_height_ = tag<std::uint32_t>(TIFFTAG_TILELENGTH, 0);
    } else {
      block_width_ = header_.width;
      block_height_ =
          std::min<std::int64_t>(tag<std::uint32_t>(TIFFTAG_ROWSPERSTRIP, 0xFFFFFFFFU), header_.height);
    }
    if (block_width_ < 1 || block_height_ < 1) damaged("its strips or tiles have no size");
    // Bits of no other tag matter here: libtiff's own figures say how much it writes.
    block_bytes_ =
        static_cast<std::size_t>(std::max<tmsize_t>(0, tiled_ ? TIFFTileSize(tiff_) : TIFFStripSize(tiff_)));
    line_bytes_ = static_cast<std::size_t>(
        std::max<tmsize_t>(0, tiled_ ? TIFFTileRowSize(tiff_) : TIFFScanlineSize(tiff_)));
    const auto in_block = static_cast<std::uint64_t>(planes_ ? 1 : stored_);
    const std::uint64_t needed =
        (static_cast<std::uint64_t>(block_width_) * in_block * static_cast<std::uint64_t>(bits_) + 7) / 8;
    if (block_bytes_ == 0 || line_bytes_ < needed ||
        block_bytes_ / static_cast<std::size_t>(block_height_) < line_bytes_)
      damaged("its strips or tiles are of another size than its header says");
    blocks_across_ =
        (width + static_cast<std::size_t>(block_width_) - 1) / static_cast<std::size_t>(block_width_);
    blocks_ = blocks_across_ * static_cast<std::size_t>(planes_ ? stored_ : 1);
    // A block takes a byte of the file at least.
    const std::uint64_t rows =
        static_cast<std::uint64_t>((header_.height + block_height_ - 1) / block_height_);
    if (blocks_ * rows > bytes_.size()) throw Damaged("it is too short for its strips or tiles");
    header_.working_bytes =
        block_bytes_ * (blocks_ + 1) + width * static_cast<std::size_t>(header_.samples()) * 4;
  }

  // One row of blocks, decoded.
  void read_block_row() {
    buffer_.resize(block_bytes_ * blocks_);
    const std::int64_t rows = std::min(block_height_, header_.height - next_row_);
    const auto planes = static_cast<std::size_t>(planes_ ? stored_ : 1);
    for (std::size_t plane = 0; plane < planes; ++plane)
      for (std::size_t across = 0; across < blocks_across_; ++across) {
        unsigned char* to = buffer_.data() + (plane * blocks_across_ + across) * block_bytes_;
        const auto y = static_cast<std::uint32_t>(next_row_);
        const auto sample = static_cast<std::uint16_t>(plane);
        tmsize_t wanted = static_cast<tmsize_t>(block_bytes_);
        tmsize_t got = 0;
        if (tiled_) {
          const auto x = static_cast<std::uint32_t>(static_cast<std::int64_t>(across) * block_width_);
          got = TIFFReadEncodedTile(tiff_, TIFFComputeTile(tiff_, x, y, 0, sample), to, wanted);
        } else {
          wanted = static_cast<tmsize_t>(line_bytes_) * rows;
          got = TIFFReadEncodedStrip(tiff_, TIFFComputeStrip(tiff_, y, sample), to, wanted);
        }
        if (got != wanted) damaged("it ends early");
        if (!file_.made_up().empty()) throw Damaged(file_.made_up());
      }
  }

  // One row of pixels of one block, into its place.
  void read_block_line(std::size_t across, std::int64_t line, float* out) const {
    const std::int64_t left = static_cast<std::int64_t>(across) * block_width_;
    const auto pixels = static_cast<std::size_t>(std::min(block_width_, header_.width - left));
    const auto stored = static_cast<std::size_t>(stored_);
    const auto outs = static_cast<std::size_t>(header_.samples());
    float* to = out + static_cast<std::size_t>(left) * outs;
    const auto take = [&](std::size_t pixel, int sample, std::uint64_t value) {
      put(to + pixel * outs, sample, value);
    };
    if (!planes_) {
      const unsigned char* row =
          buffer_.data() + across * block_bytes_ + static_cast<std::size_t>(line) * line_bytes_;
      unpack_row(row, pixels * stored, bits_, [&](std::size_t i, std::uint64_t value) {
        take(i / stored, static_cast<int>(i % stored), value);
      });
      return;
    }
    for (std::size_t plane = 0; plane < stored; ++plane) {
      const unsigned char* row = buffer_.data() + (plane * blocks_across_ + across) * block_bytes_ +
                                 static_cast<std::size_t>(line) * line_bytes_;
      unpack_row(row, pixels, bits_,
                 [&](std::size_t i, std::uint64_t value) { take(i, static_cast<int>(plane), value); });
    }
  }

  void put(float* pixel, int sample, std::uint64_t value) const {
    if (sample == alpha_at_) {
      pixel[samples_of(header_.model)] = sample_value(value, bits_, kind_);
    } else if (sample < colour_samples_) {
      if (!palette_.empty()) {
        std::copy(palette_[value].begin(), palette_[value].end(), pixel);
      } else {
        const float found = sample_value(value, bits_, kind_);
        pixel[sample] = photometric_ == PHOTOMETRIC_MINISWHITE ? 1 - found : found;
      }
    }
  }

  // Brightness and differences: libtiff knows how to make RGB of them.
  void go_through_rgba() {
    char why[1024] = "";
    if (header_.floating || TIFFRGBAImageOK(tiff_, why) == 0)
      throw NotRead(photometric_ == PHOTOMETRIC_CIELAB ? "a CIE Lab TIFF of an unusual kind"
                                                       : "a YCbCr TIFF of an unusual kind",
                    convert_advice);
    through_rgba_ = true;
  }
  void read_rgba_row(float* out) {
    const auto width = static_cast<std::size_t>(header_.width);
    if (rgba_.empty()) {
      rgba_.resize(width * static_cast<std::size_t>(header_.height));
      // The orientation asked for is the stored one, so that nothing is turned here.
      if (TIFFReadRGBAImageOriented(tiff_, static_cast<std::uint32_t>(header_.width),
                                    static_cast<std::uint32_t>(header_.height), rgba_.data(),
                                    header_.orientation, 1) == 0)
        damaged("it could not be decoded");
      if (!file_.made_up().empty()) throw Damaged(file_.made_up());
    }
    const std::uint32_t* row = rgba_.data() + static_cast<std::size_t>(next_row_) * width;
    for (std::size_t x = 0; x < width; ++x) {
      out[3 * x] = unit8(TIFFGetR(row[x]));
      out[3 * x + 1] = unit8(TIFFGetG(row[x]));
      out[3 * x + 2] = unit8(TIFFGetB(row[x]));
    }
  }

  Bytes bytes_;
  TiffInput file_;
  TIFF* tiff_;
  int bits_ = 8;
  int stored_ = 0;  ///< samples a pixel
  int photometric_ = 0;
  std::uint16_t compression_ = 0;
  bool planes_ = false;
  SampleKind kind_ = SampleKind::whole;
  int colour_samples_ = 0;
  int alpha_at_ = -1;
  std::vector<std::array<float, 3>> palette_;
  bool tiled_ = false;
  std::int64_t block_width_ = 0;
  std::int64_t block_height_ = 0;
  std::size_t block_bytes_ = 0;
  std::size_t line_bytes_ = 0;
  std::size_t blocks_across_ = 0;
  std::size_t blocks_ = 0;  ///< in a row of them, all planes
  std::vector<unsigned char> buffer_;
  bool through_rgba_ = false;
  std::vector<std::uint32_t> rgba_;
  std::int64_t next_row_ = 0;
};

}  // namespace

std::unique_ptr<Decoder> open_tiff(Bytes bytes) { return std::make_unique<TiffDecoder>(bytes); }

}  // namespace gramflow::decode
