#include "framework/config/yaml_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "framework/base/text.h"

namespace gramflow {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t most_open_brackets =
    1000;  // the parser looks ahead over all of them before it says a word

bool is_space(char letter) { return letter == ' ' || letter == '\t' || letter == '\n'; }

bool starts_code_point(char byte) { return (static_cast<unsigned char>(byte) & 0xC0u) != 0x80u; }

}  // namespace

YamlText::YamlText(std::shared_ptr<const SourceFile> file, std::size_t first) : file_(std::move(file)) {
  std::string_view source = file_->text();
  if (source.size() > longest_file) return;  // check() says so
  if (source.starts_with(byte_order_mark)) source.remove_prefix(byte_order_mark.size());
  text_.reserve(source.size());
  for (const char byte : source.substr(0, first))
    if (starts_code_point(byte)) text_ += ' ';  // one for each column
  source.remove_prefix(std::min(first, source.size()));
  for (std::size_t i = 0; i < source.size(); ++i) {
    const bool pair = source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n';
    if (!pair) text_ += source[i] == '\r' ? '\n' : source[i];
  }
}

bool YamlText::check(Diagnostics& diagnostics) {
  const std::string& source = file_->text();
  if (source.size() > longest_file) {
    diagnostics
        .error("file-too-large", Span{file_, {1, 1}, {1, 1}},
               fmt::format("this file is larger than {}, the most a pipeline file may have",
                           human_bytes(longest_file)))
        .suggest("is this really a pipeline?");
    return false;
  }
  if (source.starts_with("\xFF\xFE") || source.starts_with("\xFE\xFF")) {
    diagnostics
        .error("encoding", Span{file_, {1, 1}, {1, 1}}, "this file is UTF-16; pipelines are UTF-8 text")
        .suggest("save it as UTF-8");
    return false;
  }
  std::size_t pieces = 0;
  std::size_t open = 0;
  for (std::size_t at = 0; at < text_.size();) {
    const std::size_t begin = at;
    const char32_t point = next_code_point(text_, at);
    if (point == invalid_code_point) {
      diagnostics
          .error("encoding", span(begin, at),
                 fmt::format("the byte 0x{:02x} is no UTF-8; pipelines are UTF-8 text",
                             static_cast<unsigned char>(text_[begin])))
          .suggest("save the file as UTF-8");
      return false;
    }
    if ((point < 0x20 && point != '\n' && point != '\t') || point == 0x7F) {
      diagnostics
          .error("encoding", span(begin, at),
                 fmt::format("the control character 0x{:02x} stands here; a pipeline is plain text",
                             static_cast<unsigned>(point)))
          .suggest("is this a text file?");
      return false;
    }
    if (point == '[' || point == '{') ++open;
    if ((point == ']' || point == '}') && open > 0) --open;
    if (open > most_open_brackets) {
      diagnostics.error(
          "too-deep", span(begin, at),
          fmt::format("more than {} brackets are open here; lists and maps may be nested {} deep",
                      most_open_brackets, deepest_nesting));
      return false;
    }
    if (point == '\n' || point == ',' || point == ':' || point == '[' || point == '{') ++pieces;
  }
  if (pieces > most_pieces) {
    diagnostics
        .error(
            "file-too-large", Span{file_, {1, 1}, {1, 1}},
            fmt::format("this file has {} lines, commas, colons and brackets; a pipeline file has at most {}",
                        pieces, most_pieces))
        .suggest("is this really a pipeline?");
    return false;
  }
  return true;
}

// Offsets are asked for nearly in order, so a place is counted from the last one asked for, forwards or
// backwards: a file of one line of eight megabytes must not cost a walk over that line for every value in it.
Position YamlText::position(std::size_t offset) {
  offset = std::min(offset, text_.size());
  while (known_offset_ > offset) {
    --known_offset_;
    if (text_[known_offset_] == '\n') {
      std::size_t line_start = known_offset_;
      while (line_start > 0 && text_[line_start - 1] != '\n') --line_start;
      known_ = {known_.line - 1, 1};
      for (std::size_t at = line_start; at < known_offset_; ++at)
        if (starts_code_point(text_[at])) ++known_.column;
    } else if (starts_code_point(text_[known_offset_])) {
      --known_.column;
    }
  }
  for (; known_offset_ < offset; ++known_offset_) {
    const char letter = text_[known_offset_];
    if (letter == '\n') {
      known_ = {known_.line + 1, 1};
    } else if (starts_code_point(letter)) {
      ++known_.column;
    }
  }
  return known_;
}

Span YamlText::span(std::size_t begin, std::size_t end) {
  const Position from = position(begin);
  return {file_, from, position(std::max(begin, end))};
}

std::size_t YamlText::skip_properties(std::size_t begin) const {
  std::size_t at = begin;
  while (at < text_.size() && (text_[at] == '&' || text_[at] == '!')) {
    while (at < text_.size() && !is_space(text_[at])) ++at;
    while (at < text_.size() && is_space(text_[at])) ++at;
  }
  return at < text_.size() ? at : begin;
}

std::string_view YamlText::anchor_name(std::size_t begin) const {
  std::size_t end = begin + 1;
  while (end < text_.size() && !is_space(text_[end]) &&
         std::string_view(",[]{}:").find(text_[end]) == std::string_view::npos)
    ++end;
  return begin < text_.size() ? std::string_view(text_).substr(begin + 1, end - begin - 1)
                              : std::string_view();
}

std::size_t YamlText::scalar_end(std::size_t begin, std::string_view value, bool& closed) const {
  closed = true;
  if (begin >= text_.size()) return text_.size();
  const char first = text_[begin];
  if (first == '"' || first == '\'') {
    std::size_t at = begin + 1;
    for (; at < text_.size(); ++at) {
      if (first == '"' && text_[at] == '\\') {
        ++at;
      } else if (text_[at] == first) {
        const bool doubled = first == '\'' && at + 1 < text_.size() && text_[at + 1] == first;
        if (!doubled) return at + 1;
        ++at;
      }
    }
    closed = false;
    return text_.size();
  }
  if (text_.compare(begin, value.size(), value) == 0) return begin + value.size();
  // A block text, or a plain one over several lines: what its first line shows.
  const std::size_t end = text_.find('\n', begin);
  return end == std::string::npos ? text_.size() : end;
}

}  // namespace gramflow
