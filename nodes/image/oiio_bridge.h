#pragma once
// The only place that speaks to OpenImageIO. Internal to nodes/image: others use picture_io.h.
// Every function is single-threaded, and keeps OpenImageIO from starting threads of its own.
//
// OpenImageIO brings over 200 libraries along, which take 0.4 s to load and over 100 MB. So what speaks to it
// is a module of its own, gramflow-pictures.so (oiio_bridge.cpp), which the functions at the end load when
// they are first called (oiio_module.cpp); a program that touches no picture does without.
#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "nodes/image/picture.h"

namespace gramflow::oiio {

/// What the decoder said, without the path. picture_io.cpp puts it into a sentence.
class CodecError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The header as stored: before orientation, before any choice of channels.
struct Header {
  std::int64_t width = 0;
  std::int64_t height = 0;
  int channels = 0;
  int bits = 8;
  bool floating = false;
  std::array<int, 3> colour = {
      0, 0, 0};    ///< the channels that are red, green and blue; the same one three times for grey
  int alpha = -1;  ///< the channel that is alpha, or -1
  bool premultiplied = false;  ///< the colour was multiplied by alpha
  bool from_cmyk = false;
  bool colour_profile = false;
  int orientation = 1;
  std::string software;
  std::string description;
};

/// A picture file open for reading.
class Reader {
 public:
  virtual ~Reader() = default;
  const Header& header() const { return header_; }
  /// Read rows in portions that are multiples of this.
  int row_step() const { return row_step_; }
  /// The channels that read_rows() gives: a range that holds the colour and alpha channels.
  int first_channel() const { return first_channel_; }
  int channel_count() const { return channel_count_; }
  /// Rows [begin, end) as float, channel_count() a pixel, whole numbers scaled to [0, 1]. In order from the
  /// top. Throws CodecError.
  virtual void read_rows(std::int64_t begin, std::int64_t end, float* out) = 0;
  /// Call after the last row: throws CodecError when the decoder had to make something up.
  virtual void finish() = 0;

 protected:
  Header header_;
  int row_step_ = 1;
  int first_channel_ = 0;
  int channel_count_ = 0;
};

struct Encoding {
  std::string format;
  PictureSize size;
  int bits =
      8;  ///< 8 and 16: whole numbers in `samples`; with floating: 16 (half) and 32, float in `samples`
  bool floating = false;
  int quality = 95;
  std::string software;
  std::string description;
};

/// `format` is OpenImageIO's name: "png", "jpeg", ... Throws CodecError.
std::unique_ptr<Reader> open(const std::string& path, const std::string& format);

/// The bytes of the file. `samples` points to size.floats() values of std::uint8_t, std::uint16_t or float.
/// Throws CodecError.
std::vector<unsigned char> encode(const Encoding& encoding, const void* samples);

/// Loads the module now, so that its memory is there when a run is planned. All three throw MissingResource
/// when it is not beside the program.
void load();

/// What the module gives, by way of its one symbol, `gramflow_pictures`.
struct Module {
  decltype(&open) open_reader;
  decltype(&encode) encode_picture;
};

}  // namespace gramflow::oiio
