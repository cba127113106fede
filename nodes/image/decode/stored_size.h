#pragma once
// The size of a picture by its own header, for formats whose library is to see it afterwards only.
#include <string>

#include "nodes/image/decode/decoder.h"

namespace gramflow::decode {

struct StoredSize {
  std::int64_t width = 0;
  std::int64_t height = 0;
};
/// 1x1 for formats that keep it elsewhere. Throws Damaged and NotRead.
StoredSize stored_size(const std::string& format, Bytes bytes);

/// What opening a file takes more than reading a header: OpenImageIO decodes JPEG 2000 at once. No more than a file
/// of this length can be worth.
std::size_t opening_bytes(const std::string& format, Bytes bytes);

}  // namespace gramflow::decode
