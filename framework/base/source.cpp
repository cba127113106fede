#include "framework/base/source.h"

#include <utility>

namespace gramflow {

// Lines end at "\n", "\r\n" or a lone "\r", so that files of any system count the same as in an editor.
SourceFile::SourceFile(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {
  line_starts_.push_back(0);
  for (std::size_t i = 0; i < text_.size(); ++i) {
    if (text_[i] == '\n' || (text_[i] == '\r' && (i + 1 == text_.size() || text_[i + 1] != '\n')))
      line_starts_.push_back(i + 1);
  }
}

std::shared_ptr<const SourceFile> SourceFile::typed(std::string name, std::string text,
                                                    std::string pipeline) {
  auto file = std::make_shared<SourceFile>(std::move(name), std::move(text));
  file->typed_for_ = std::move(pipeline);
  return file;
}

std::string_view SourceFile::line(int number) const {
  if (number < 1 || number > line_count()) return {};
  const auto index = static_cast<std::size_t>(number);
  const std::size_t begin = line_starts_[index - 1];
  std::size_t end = index < line_starts_.size() ? line_starts_[index] : text_.size();
  while (end > begin && (text_[end - 1] == '\n' || text_[end - 1] == '\r')) --end;
  std::string_view found = std::string_view(text_).substr(begin, end - begin);
  if (number == 1 && found.starts_with("\xEF\xBB\xBF"))
    found.remove_prefix(3);  // a byte order mark is no column
  return found;
}

std::string Span::to_string() const {
  if (file == nullptr) return "";
  if (begin.line <= 0) return file->name();
  return file->name() + ":" + std::to_string(begin.line) + ":" + std::to_string(begin.column);
}

}  // namespace gramflow
