#pragma once
// The text under the YAML parser: checks before it is parsed, and places in it.
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "framework/base/diagnostics.h"

namespace gramflow {

/// What one file may hold. A pipeline of ten thousand nodes stays far below; what lies above only costs time
/// and memory.
inline constexpr std::size_t longest_file = 8u << 20;  ///< bytes
inline constexpr std::size_t most_pieces = 300'000;    ///< lines, commas, colons and brackets
inline constexpr std::size_t most_copies = 250'000;    ///< values that aliases and variables add
inline constexpr int deepest_nesting = 200;            ///< lists and maps in each other

/// A text ready for the parser: UTF-8, no byte order mark, lines that end with "\n". Its offsets are the
/// parser's marks.
class YamlText {
 public:
  /// Bytes before `first` are read as spaces: a command line's "key=" in front of its value.
  explicit YamlText(std::shared_ptr<const SourceFile> file, std::size_t first = 0);
  /// Reports what no parser should see: invalid UTF-8, control characters, too large a file. True when it may
  /// be parsed.
  bool check(Diagnostics& diagnostics);

  const std::string& text() const { return text_; }
  const std::shared_ptr<const SourceFile>& file() const { return file_; }
  /// Line and column (in code points) of an offset. Cheap when offsets are asked for in rising order.
  Position position(std::size_t offset);
  Span span(std::size_t begin, std::size_t end);
  /// Offset behind the scalar that starts at `begin` and was read as `value`; `closed` is false for a quote
  /// without its end.
  std::size_t scalar_end(std::size_t begin, std::string_view value, bool& closed) const;
  /// Offset of the value itself, behind anchors and tags written before it.
  std::size_t skip_properties(std::size_t begin) const;
  /// "name" of "*name" or "&name" at an offset.
  std::string_view anchor_name(std::size_t begin) const;

 private:
  std::shared_ptr<const SourceFile> file_;
  std::string text_;
  // The last place asked for: the next one is counted from there.
  std::size_t known_offset_ = 0;
  Position known_ = {1, 1};
};

}  // namespace gramflow
