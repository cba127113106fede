#pragma once
// The one list of what is read: how a file of each format begins, and what people call it. docs/pictures.md
// is held against it by a test. Internal to nodes/image.
#include <string>
#include <string_view>
#include <vector>

namespace gramflow {

struct ReadableFormat {
  std::string key;    ///< for open_file() and PictureInfo::format: "jpeg"
  std::string title;  ///< for people: "JPEG"
  bool (*begins)(std::string_view first_bytes);
};

/// In the order in which they are tried.
const std::vector<ReadableFormat>& readable_formats();

/// Bytes from the beginning that telling a format takes, at most.
inline constexpr std::size_t telling_bytes = 4096;

/// The format that begins so, or nullptr when it is none that is read.
const ReadableFormat* format_beginning_with(std::string_view first_bytes);

/// What a file is that is none of them.
struct OtherFile {
  std::string what;    ///< the subject of a message: "this is a PDF document"
  bool whole = false;  ///< a picture, only of a format that is not read
  std::string advice;  ///< what to do
};
OtherFile describe_other_file(std::string_view first_bytes);

/// "PNG, JPEG, ... or PNM"
std::string readable_titles();

}  // namespace gramflow
