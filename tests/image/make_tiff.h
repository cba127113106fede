#pragma once
// TIFF files of every make, with samples of a known motif, and what they look like.
#include <cstdint>
#include <string>
#include <vector>

#include "nodes/image/picture.h"

namespace gramflow::test {

struct TiffFile {
  int width = 37;
  int height = 20;
  int tile_width = 0;  ///< 0: strips
  int tile_height = 0;
  int rows_per_strip = 8;
  bool planes = false;
  std::string colours = "rgb";  ///< grey, inverted, rgb, cmyk, palette
  int alpha = 0;                ///< 0: none, 1: associated (multiplied), 2: unassociated
  int bits = 8;
  bool floats = false;
  bool is_signed = false;
  std::string compression = "none";  ///< none, lzw, zip, packbits, jpeg
  std::string profile{};             ///< ICC to embed
  std::string name() const;          ///< for messages
};

/// Writes the file and gives what a reader must make of it; exact but for "jpeg".
Picture write_tiff(const std::string& path, const TiffFile& file);

}  // namespace gramflow::test
