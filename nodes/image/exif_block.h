#pragma once
// EXIF blocks for what is written. Internal to nodes/image.
#include <string>
#include <vector>

namespace gramflow {

/// A block that says what wrote the picture, what it shows ("" for nothing), and that its colours are sRGB's.
std::vector<unsigned char> new_exif(const std::string& software, const std::string& description = "");

/// A source's block for a picture made of it: camera, lens, date, exposure and resolution stay; orientation
/// is upright; the thumbnail, sizes, GPS position, serial numbers, the owner's name and the maker's notes
/// (which hold them too) are left out. `srgb` says whether the picture is sRGB. What is broken is left out.
std::vector<unsigned char> kept_exif(const std::vector<unsigned char>& source, const std::string& software,
                                     bool srgb);

/// A source's XMP without position, serial numbers and owner; empty when they cannot be told from the rest.
std::vector<unsigned char> kept_xmp(const std::vector<unsigned char>& source);

}  // namespace gramflow
