#pragma once
// Mistakes as data. A pass reports everything it finds into one Diagnostics and goes on; the program renders
// them all at the end, sorted by place, as text for people or JSON for editors.
#include <string>
#include <vector>

#include "framework/base/source.h"

namespace gramflow {

enum class Severity { error, warning };

/// A second place that explains the first: "first defined here", "value came through this alias".
struct Note {
  std::string message;
  Span span;
};

/// One finding. `message` says "what was found; what was expected" in one line. `suggestion` is shown at the
/// caret
/// ("did you mean 'layers'?"). `code` is stable ("unknown-key") and has a section in docs/diagnostics.md.
struct Diagnostic {
  Severity severity = Severity::error;
  std::string code;
  Span span;
  std::string message;
  std::string suggestion;
  std::vector<Note> notes;

  Diagnostic& suggest(std::string text);
  Diagnostic& note(std::string message, Span span = {});
};

/// A collection of findings. Not thread-safe: owned by the pass driver, borrowed by passes.
class Diagnostics {
 public:
  /// The returned reference is valid until the next report.
  Diagnostic& error(std::string code, Span span, std::string message);
  Diagnostic& warning(std::string code, Span span, std::string message);

  bool has_errors() const { return errors_ > 0; }
  std::size_t error_count() const { return errors_; }
  const std::vector<Diagnostic>& all() const { return items_; }
  /// Sorted by file (in order of first mention), line, column; equal findings once. Beside errors there are
  /// no warnings of unused things, which are mostly their consequences.
  std::vector<Diagnostic> sorted() const;

  /// file:line:column: error: message [code], the source line, a caret line with the suggestion, the notes
  /// the same way.
  std::string render(bool color = false) const;
  /// A JSON array for editors: severity, code, message, suggestion, file, range {start, end}, related [].
  std::string to_json() const;

 private:
  std::vector<Diagnostic> items_;
  std::size_t errors_ = 0;
};

}  // namespace gramflow
