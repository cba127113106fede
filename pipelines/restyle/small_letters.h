#pragma once
// Letters of 5 x 7 dots for labels on pictures: capitals, digits, '.', '-' and '_'. Others are blank.
#include <string_view>

#include "nodes/image/picture.h"

namespace gramflow {

/// Each dot of a letter becomes a square of `scale` pixels; letters stand 6 dots apart.
inline constexpr int letter_width = 6;
inline constexpr int letter_height = 7;

/// Writes a line in one grey (0 to 1), its upper left corner at x, y; small letters as capitals. What lies outside of
/// the picture is left out.
void write_letters(Picture& picture, std::string_view text, int x, int y, int scale, float grey);

}  // namespace gramflow
