#include "framework/base/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

namespace gramflow {
namespace {

constexpr std::size_t widest_line = 160;  // of a shown source line, in bytes

/// The source line with a caret under the span; the suggestion stands right of the caret.
std::string excerpt(const Span& span, const std::string& suggestion) {
  if (!span.known()) return suggestion.empty() ? "" : "      " + suggestion + "\n";
  std::string line(span.file->line(span.begin.line));
  std::string padding;
  int column = 1;
  std::size_t at = 0;
  while (at < line.size() && column < span.begin.column) {
    padding += line[at] == '\t' ? '\t' : ' ';
    do ++at;
    while (at < line.size() && (static_cast<unsigned char>(line[at]) & 0xC0) == 0x80);
    ++column;
  }
  int width = 1;
  if (span.end.line == span.begin.line && span.end.column > span.begin.column) width = span.end.column - span.begin.column;
  if (at > widest_line) {
    line = "..." + line.substr(at, widest_line);
    padding = "   ";
  } else if (line.size() > at + widest_line) {
    line = line.substr(0, at + widest_line) + "...";
  }
  for (char& c : line)
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t') c = ' ';
  width = std::clamp(width, 1, 80);
  return fmt::format("{:5} | {}\n      | {}^{}{}{}\n", span.begin.line, line, padding, std::string(static_cast<std::size_t>(width) - 1, '~'),
                     suggestion.empty() ? "" : " ", suggestion);
}

nlohmann::json range_json(const Span& span) {
  const Position end = span.end.line > 0 ? span.end : Position{span.begin.line, span.begin.column + 1};
  return {{"start", {{"line", span.begin.line}, {"column", span.begin.column}}}, {"end", {{"line", end.line}, {"column", end.column}}}};
}

void add_place(nlohmann::json& object, const Span& span) {
  if (span.file != nullptr) object["file"] = span.file->name();
  if (span.known()) object["range"] = range_json(span);
}

}  // namespace

Diagnostic& Diagnostic::suggest(std::string text) {
  suggestion = std::move(text);
  return *this;
}

Diagnostic& Diagnostic::note(std::string note_message, Span note_span) {
  notes.push_back({std::move(note_message), std::move(note_span)});
  return *this;
}

Diagnostic& Diagnostics::error(std::string code, Span span, std::string message) {
  ++errors_;
  items_.push_back({Severity::error, std::move(code), std::move(span), std::move(message), "", {}});
  return items_.back();
}

Diagnostic& Diagnostics::warning(std::string code, Span span, std::string message) {
  items_.push_back({Severity::warning, std::move(code), std::move(span), std::move(message), "", {}});
  return items_.back();
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::vector<const SourceFile*> files;
  const auto rank = [&](const Diagnostic& item) {
    const auto found = std::find(files.begin(), files.end(), item.span.file.get());
    return std::tuple(found - files.begin(), item.span.begin);
  };
  for (const Diagnostic& item : items_)
    if (std::find(files.begin(), files.end(), item.span.file.get()) == files.end()) files.push_back(item.span.file.get());
  std::vector<Diagnostic> result = items_;
  std::stable_sort(result.begin(), result.end(), [&](const Diagnostic& a, const Diagnostic& b) { return rank(a) < rank(b); });
  const auto same = [](const Diagnostic& a, const Diagnostic& b) {
    return a.code == b.code && a.message == b.message && a.span.file == b.span.file && a.span.begin == b.span.begin;
  };
  result.erase(std::unique(result.begin(), result.end(), same), result.end());
  return result;
}

std::string Diagnostics::render(bool color) const {
  const char* red = color ? "\033[1;31m" : "";
  const char* yellow = color ? "\033[1;33m" : "";
  const char* bold = color ? "\033[1m" : "";
  const char* plain = color ? "\033[0m" : "";
  std::string text;
  for (const Diagnostic& item : sorted()) {
    const std::string place = item.span.to_string();
    const bool is_error = item.severity == Severity::error;
    text += fmt::format("{}{}{}{}{}:{} {}{}{} [{}]\n", bold, place, place.empty() ? "" : ": ", is_error ? red : yellow,
                        is_error ? "error" : "warning", plain, bold, item.message, plain, item.code);
    text += excerpt(item.span, item.suggestion);
    for (const Note& note : item.notes) {
      const std::string where = note.span.to_string();
      text += fmt::format("{}{}note: {}\n", where, where.empty() ? "" : ": ", note.message);
      text += excerpt(note.span, "");
    }
  }
  return text;
}

std::string Diagnostics::to_json() const {
  nlohmann::json list = nlohmann::json::array();
  for (const Diagnostic& item : sorted()) {
    nlohmann::json object = {{"severity", item.severity == Severity::error ? "error" : "warning"},
                             {"code", item.code},
                             {"message", item.message},
                             {"suggestion", item.suggestion},
                             {"related", nlohmann::json::array()}};
    add_place(object, item.span);
    for (const Note& note : item.notes) {
      nlohmann::json related = {{"message", note.message}};
      add_place(related, note.span);
      object["related"].push_back(std::move(related));
    }
    list.push_back(std::move(object));
  }
  return list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace gramflow
