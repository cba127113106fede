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

/// The bytes of the file. `samples` points to size.floats() values of std::uint8_t, std::uint16_t or float.
/// Throws CodecError.
std::vector<unsigned char> encode(const Encoding& encoding, const void* samples);

/// Loads the module now, so that its memory is there when a run is planned. Both throw MissingResource
/// when it is not beside the program.
void load();

/// What the module gives, by way of its one symbol, `gramflow_pictures`.
struct Module {
  decltype(&encode) encode_picture;
};

}  // namespace gramflow::oiio
