#pragma once
// From the samples of a file to the pictures of gramflow: red, green and blue, sRGB-encoded, in [0, 1].
// Profiles go through lcms2, whose header is included in colour.cpp only.
#include "nodes/image/decode/decoder.h"

namespace gramflow::decode {

/// Made once a file; says in `notes` what it changes.
class ColourConversion {
 public:
  /// Reads the header's profile, primaries and model; appends to its notes what the reader should know:
  /// linear light, CMYK without a profile, a broken profile. Profiles that mean sRGB are silent and cost
  /// nothing.
  explicit ColourConversion(Header& header);
  ~ColourConversion();
  ColourConversion(const ColourConversion&) = delete;
  ColourConversion& operator=(const ColourConversion&) = delete;

  /// `pixels` pixels as a Decoder gives them, without regard to rows; `in` may be changed.
  void run(float* in, std::size_t pixels, float* rgb) const;

 private:
  class Transform;
  void undo_premultiplication(float* in, std::size_t pixels) const;
  ColourModel model_;
  int samples_;
  bool premultiplied_;
  bool linear_;                                 ///< without a transform: floats are light
  std::unique_ptr<const Transform> transform_;  ///< null: colours are sRGB's
};

}  // namespace gramflow::decode
