#pragma once
// Where a piece of text came from: the currency of every diagnostic.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gramflow {

/// A place in a text file. Lines and columns count from 1; a column counts Unicode code points, as editors
/// do. {0, 0} means "unknown".
struct Position {
  int line = 0;
  int column = 0;
  auto operator<=>(const Position&) const = default;
};

/// One text, kept whole so that a diagnostic can show the line it speaks of. Immutable; shared by every Span
/// into it.
class SourceFile {
 public:
  /// `name` is what messages show: a path as the user wrote it, or "--set style_weight=1e3" for a command
  /// line.
  SourceFile(std::string name, std::string text);
  /// What was typed at a shell for the pipeline `pipeline` ("--set a=b", an environment variable).
  static std::shared_ptr<const SourceFile> typed(std::string name, std::string text, std::string pipeline);
  /// Name of the pipeline file that this was typed for; nothing for a file.
  const std::optional<std::string>& typed_for() const { return typed_for_; }
  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }
  /// The text of a line (from 1) without its line ending; empty when there is no such line.
  std::string_view line(int number) const;
  int line_count() const { return static_cast<int>(line_starts_.size()); }

 private:
  std::string name_;
  std::string text_;
  std::optional<std::string> typed_for_;
  std::vector<std::size_t> line_starts_;
};

/// A stretch of a file, `end` exclusive. A default Span points nowhere and is valid everywhere.
struct Span {
  std::shared_ptr<const SourceFile> file;
  Position begin;
  Position end;
  bool known() const { return file != nullptr && begin.line > 0; }
  /// "file:line:column", "file" when the place is unknown, "" when the file is.
  std::string to_string() const;
};

}  // namespace gramflow
