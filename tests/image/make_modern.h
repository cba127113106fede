#pragma once
// HEIC, AVIF and JPEG XL files, made with their own libraries.
#include <string>

#include "nodes/image/picture.h"

namespace gramflow::test {

struct ModernFile {
  std::string kind = "heic";  ///< heic, avif, jxl
  int bits = 8;               ///< 8, 10 or 12 (jxl: 8 or 16)
  bool alpha = false;         ///< half transparent on the left
  int turned = 0;  ///< quarter turns to the left that a reader must make; heic and avif: stored as irot
  bool exif_turned = false;  ///< EXIF says another orientation, which a reader must not apply a second time
  int primaries = 0;         ///< nclx: 12 is Display P3; 0: none
  int transfer = 13;
};
/// Writes the picture without loss, or nearly. False when this system's library has no encoder for it.
bool write_modern(const std::string& path, const Picture& picture, const ModernFile& file);

}  // namespace gramflow::test
