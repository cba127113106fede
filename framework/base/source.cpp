#include "framework/base/source.h"

namespace gramflow {

SourceFile::SourceFile(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {
  line_starts_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n')
      line_starts_.push_back(i + 1);
    else if (text_[i] == '\r' && (i + 1 == text_.size() || text_[i + 1] != '\n'))
      line_starts_.push_back(i + 1);
  }
}

std::string_view SourceFile::line(int number) const {
  if (number < 1 || number > line_count()) return {};
  const std::size_t begin = line_starts_[static_cast<std::size_t>(number) - 1];
  std::string_view rest = std::string_view(text_).substr(begin);
  rest = rest.substr(0, rest.find_first_of("\r\n"));
  if (number == 1 && rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
  return rest;
}

std::string Span::to_string() const {
  if (file == nullptr) return "";
  if (begin.line < 1) return file->name();
  return file->name() + ":" + std::to_string(begin.line) + ":" + std::to_string(begin.column);
}

}  // namespace gramflow
