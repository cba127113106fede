#pragma once
// What a picture file holds, and its pixels row by row. Everything in this folder runs in the child program
// gramflow-decoder only (see decoder_program.cpp), because the libraries that it speaks to were not all
// written for hostile files. One thread.
//
// A decoder gives samples as they are stored: grey, RGB or CMYK (1 is full ink), then alpha when there is
// one; whole numbers scaled to [0, 1], floats as they are. colour.h turns them into sRGB.
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace gramflow::decode {

/// The file is damaged, cut short, or asks for what no file can need. The text says how, without path and
/// format.
class Damaged : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The file is whole, as far as seen, but of a variety that is not read. The text is its true name, as in
/// "a TIFF of signed whole numbers"; `advice` says what to do instead.
class NotRead : public std::runtime_error {
 public:
  NotRead(const std::string& what, std::string what_to_do)
      : std::runtime_error(what), advice(std::move(what_to_do)) {}
  std::string advice;
};

using Bytes = std::span<const unsigned char>;

enum class ColourModel { grey, rgb, cmyk };
inline int samples_of(ColourModel model) {
  return model == ColourModel::grey ? 1 : model == ColourModel::rgb ? 3 : 4;
}

/// Where the colours of a file lie when no ICC profile says it: CIE xy of white, red, green, blue, and the
/// curve.
struct Primaries {
  double xy[8] = {0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06};
  double gamma = 0;  ///< light = value ^ gamma; 0: the sRGB curve; 1: the samples are light
};

struct Header {
  std::int64_t width = 0;  ///< as stored, before orientation
  std::int64_t height = 0;
  int channels = 0;  ///< in the file, for messages
  int bits = 8;      ///< a sample
  ColourModel model = ColourModel::rgb;
  bool alpha = false;                  ///< one sample more a pixel, the last
  bool premultiplied = false;          ///< the colour was multiplied by it
  bool floating = false;               ///< linear light, unless a profile says otherwise
  int orientation = 1;                 ///< EXIF: 1 upright ... 8
  std::vector<unsigned char> profile;  ///< ICC, as found; may be broken
  std::vector<unsigned char> exif;     ///< from its "II" or "MM" on
  std::vector<unsigned char> xmp;
  bool has_primaries = false;
  Primaries primaries;
  std::string software;
  std::string description;
  std::vector<std::string> notes;  ///< what the reader should know, one sentence each
  std::size_t working_bytes = 0;   ///< what decoding takes beside the rows that are asked for, at most
  int samples() const { return samples_of(model) + (alpha ? 1 : 0); }
};

/// A file open for reading.
class Decoder {
 public:
  virtual ~Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  const Header& header() const { return header_; }
  /// The next row from the top: width * samples() floats. Throws Damaged.
  virtual void read_row(float* out) = 0;
  /// Call after the last row. Throws Damaged when anything had to be made up.
  virtual void finish() {}

 protected:
  Decoder() = default;
  Header header_;
};

/// 8-bit and 16-bit samples as floats. Multiplied, not divided: so every picture keeps the bits it always
/// had.
inline float unit8(unsigned value) { return static_cast<float>(value) * (1.0F / 255); }
inline float unit16(unsigned value) { return static_cast<float>(value) * (1.0F / 65535); }

// One file a format. `bytes` stay valid while the decoder lives. They throw Damaged and NotRead.
std::unique_ptr<Decoder> open_png(Bytes bytes);
std::unique_ptr<Decoder> open_jpeg(Bytes bytes);
std::unique_ptr<Decoder> open_tiff(Bytes bytes);
std::unique_ptr<Decoder> open_exr(Bytes bytes);
std::unique_ptr<Decoder> open_webp(Bytes bytes);
std::unique_ptr<Decoder> open_gif(Bytes bytes);
std::unique_ptr<Decoder> open_bmp(Bytes bytes);
std::unique_ptr<Decoder> open_pnm(Bytes bytes);
std::unique_ptr<Decoder> open_jxl(Bytes bytes);
std::unique_ptr<Decoder> open_heif(Bytes bytes,
                                   const std::string& title);  ///< HEIC and AVIF; the title is for messages

}  // namespace gramflow::decode
