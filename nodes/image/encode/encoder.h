#pragma once
// Writers of picture formats, one file each, by the formats' own libraries. They live in a module,
// gramflow-pictures.so, that is loaded with the first Save (picture_module.h), so that a program that writes
// nothing starts without them.
//
// Pictures stream: rows are asked for one by one from the top, and the file's bytes go to where the caller
// wants them, so memory does not grow with the picture (but for WebP, whose encoder wants it whole). One
// thread.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "nodes/image/picture.h"

namespace gramflow::encode {

/// What a library said, without the path.
class EncodeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Encoding {
  std::string format;  ///< WritableFormat::name
  PictureSize size;
  int bits = 8;           ///< 8 and 16: whole numbers; with floating: 16 (half) and 32
  bool floating = false;  ///< linear light
  int quality = 95;
  std::string software;
  std::string description;
  std::vector<unsigned char> profile;  ///< ICC to convert into and to embed; empty: sRGB
  std::vector<unsigned char> exif;     ///< to embed where there is a place, from its "II" or "MM" on
  std::vector<unsigned char> xmp;
};

/// Gives row y as RGB floats, sRGB-encoded.
using FloatRow = std::function<void(int y, float* rgb)>;
/// Takes bytes of the file; offsets may come back to what was written before. What it throws ends the
/// encoding.
using WriteAt = std::function<void(std::uint64_t offset, const void* bytes, std::size_t count)>;

/// Values are clamped to [0, 1], NaN is 0, and the nearest step is taken. Throws EncodeError.
void encode(const Encoding& encoding, const FloatRow& row, const WriteAt& write);

/// "" when pictures can be converted into this ICC profile; otherwise why not.
std::string profile_problem(const std::vector<unsigned char>& profile);

// Below: between the files of this folder. A row then is of the samples that the format holds: std::uint8_t,
// std::uint16_t, or float that is linear light.
using SampleRow = std::function<void(int y, void* samples)>;
/// Bytes of an ICC profile for sRGB, always the same.
std::vector<unsigned char> srgb_profile();
void write_png(const Encoding& encoding, const SampleRow& row, const WriteAt& write);
void write_jpeg(const Encoding& encoding, const SampleRow& row, const WriteAt& write);
void write_tiff(const Encoding& encoding, const SampleRow& row, const WriteAt& write);
void write_exr(const Encoding& encoding, const SampleRow& row, const WriteAt& write);
void write_webp(const Encoding& encoding, const SampleRow& row, const WriteAt& write);
void write_bmp(const Encoding& encoding, const SampleRow& row, const WriteAt& write);

/// Bytes one after the other, for formats that never go back.
class Appender {
 public:
  explicit Appender(const WriteAt& write) : write_(write) {}
  void operator()(const void* bytes, std::size_t count) {
    write_(at_, bytes, count);
    at_ += count;
  }

 private:
  const WriteAt& write_;
  std::uint64_t at_ = 0;
};

}  // namespace gramflow::encode
