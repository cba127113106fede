#include "framework/base/diagnostics.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "framework/base/text.h"

// Rendering follows what compilers do: place and message on one line, then the source line, then a caret
// under what is meant. Source lines are made safe first: tabs become a visible arrow, control characters and
// broken UTF-8 a replacement sign, and a line longer than a terminal is cut around the caret.

namespace gramflow {
namespace {

constexpr std::size_t shown_at_most =
    500;                     // findings in a rendered text; nobody reads on before fixing these
constexpr int window = 110;  // columns of a source line that are shown

struct Paint {
  const char* bold = "";
  const char* error = "";
  const char* warning = "";
  const char* note = "";
  const char* caret = "";
  const char* off = "";
};
constexpr Paint plain_paint;
constexpr Paint terminal_paint = {"\x1b[1m",    "\x1b[1;31m", "\x1b[1;35m",
                                  "\x1b[1;36m", "\x1b[1;32m", "\x1b[0m"};

/// Terminal columns of a code point: 2 for East Asian wide ones, 0 for combining ones.
int width_of(char32_t point) {
  if ((point >= 0x300 && point <= 0x36F) || (point >= 0x200B && point <= 0x200F) ||
      (point >= 0xFE00 && point <= 0xFE0F))
    return 0;
  if ((point >= 0x1100 && point <= 0x115F) || (point >= 0x2E80 && point <= 0xA4CF) ||
      (point >= 0xAC00 && point <= 0xD7A3) || (point >= 0xF900 && point <= 0xFAFF) ||
      (point >= 0xFE30 && point <= 0xFE6F) || (point >= 0xFF00 && point <= 0xFF60) ||
      (point >= 0xFFE0 && point <= 0xFFE6) || (point >= 0x1F300 && point <= 0x1FAFF) ||
      (point >= 0x20000 && point <= 0x3FFFD))
    return 2;
  return 1;
}

struct Glyph {
  std::string text;
  int width = 1;
};

/// At most `count` glyphs of a line from code point `first` (from 0), each safe to print.
std::vector<Glyph> glyphs_of(std::string_view line, int first, int count) {
  std::vector<Glyph> glyphs;
  int index = 0;
  for (std::size_t at = 0; at < line.size() && index < first + count; ++index) {
    const std::size_t begin = at;
    const char32_t point = next_code_point(line, at);
    if (index < first) continue;
    if (point == '\t') {
      glyphs.push_back({"\xE2\x86\x92", 1});
    } else if (point == invalid_code_point || point < 0x20 || (point >= 0x7F && point < 0xA0)) {
      glyphs.push_back({"\xEF\xBF\xBD", 1});
    } else {
      glyphs.push_back({std::string(line.substr(begin, at - begin)), width_of(point)});
    }
  }
  return glyphs;
}

/// The source line and the caret line under it; nothing when the place is unknown.
std::string excerpt(const Span& span, const std::string& suggestion, const Paint& paint) {
  const std::string remark = suggestion.empty() ? "" : " " + one_line(suggestion);
  if (!span.known()) return suggestion.empty() ? "" : "      " + one_line(suggestion) + "\n";
  const int caret = std::max(span.begin.column, 1) - 1;
  const int first = caret < window - 30 ? 0 : caret - window / 2;
  const std::vector<Glyph> glyphs = glyphs_of(span.file->line(span.begin.line), first, window + 1);
  const bool cut_left = first > 0;
  const bool cut_right = glyphs.size() > static_cast<std::size_t>(window);
  const int length = span.end.line == span.begin.line ? span.end.column - span.begin.column
                                                      : (span.end.line > span.begin.line ? window : 1);

  std::string shown = cut_left ? "..." : "";
  std::string marks = cut_left ? "   " : "";
  for (int i = 0; i < std::min(static_cast<int>(glyphs.size()), window); ++i) {
    const Glyph& glyph = glyphs[static_cast<std::size_t>(i)];
    shown += glyph.text;
    const int column = first + i;
    if (column < caret) marks += std::string(static_cast<std::size_t>(glyph.width), ' ');
    if (column == caret)
      marks += '^' + std::string(static_cast<std::size_t>(std::max(glyph.width - 1, 0)), '~');
    if (column > caret && column < caret + length)
      marks += std::string(static_cast<std::size_t>(glyph.width), '~');
  }
  if (cut_right) shown += "...";
  if (marks.find('^') == std::string::npos) marks += '^';  // past the end of the line

  const std::string number = std::to_string(span.begin.line);
  const std::string margin = number.size() < 5 ? std::string(5 - number.size(), ' ') : "";
  return margin + number + " | " + shown + "\n" + std::string(margin.size() + number.size(), ' ') + " | " +
         paint.caret + marks + remark + paint.off + "\n";
}

std::string render_one(const Diagnostic& item, const Paint& paint) {
  const bool error = item.severity == Severity::error;
  const std::string place = item.span.to_string();
  std::string text = paint.bold + (place.empty() ? "" : one_line(place) + ": ") + paint.off;
  text += (error ? paint.error : paint.warning) + std::string(error ? "error: " : "warning: ") + paint.off;
  text += paint.bold + one_line(item.message) + paint.off + " [" + item.code + "]\n" +
          excerpt(item.span, item.suggestion, paint);
  for (std::size_t i = 0; i < item.notes.size(); ++i) {
    const Note& note = item.notes[i];
    const bool said = std::any_of(
        item.notes.begin(), item.notes.begin() + static_cast<std::ptrdiff_t>(i), [&](const Note& other) {
          return other.message == note.message && other.span.file == note.span.file &&
                 other.span.begin == note.span.begin;
        });
    if (said) continue;
    const std::string where = note.span.to_string();
    text += (where.empty() ? "      " : one_line(where) + ": ") + paint.note + "note: " + paint.off +
            one_line(note.message) + "\n" + excerpt(note.span, "", paint);
  }
  return text;
}

nlohmann::json place_to_json(const Span& span) {
  nlohmann::json place;
  place["file"] = span.file != nullptr ? nlohmann::json(span.file->name()) : nlohmann::json();
  if (!span.known()) {
    place["range"] = nullptr;
    return place;
  }
  const Position end = span.end < span.begin ? span.begin : span.end;
  place["range"] = {{"start", {{"line", span.begin.line}, {"column", span.begin.column}}},
                    {"end", {{"line", end.line}, {"column", end.column}}}};
  return place;
}

/// What a mistake elsewhere may be the reason of: a broken wire leaves nodes unused. Said when nothing else
/// is wrong.
bool may_be_consequence(const Diagnostic& item) {
  return item.severity == Severity::warning &&
         (item.code == "unused-node" || item.code == "unused-variable" || item.code == "nothing-saved");
}

}  // namespace

Diagnostic& Diagnostic::suggest(std::string text) {
  suggestion = std::move(text);
  return *this;
}

Diagnostic& Diagnostic::note(std::string text, Span place) {
  notes.push_back({std::move(text), std::move(place)});
  return *this;
}

Diagnostic& Diagnostics::error(std::string code, Span span, std::string message) {
  ++errors_;
  return items_.emplace_back(
      Diagnostic{Severity::error, std::move(code), std::move(span), std::move(message), "", {}});
}

Diagnostic& Diagnostics::warning(std::string code, Span span, std::string message) {
  return items_.emplace_back(
      Diagnostic{Severity::warning, std::move(code), std::move(span), std::move(message), "", {}});
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  std::unordered_map<std::string, std::size_t> rank;
  const auto name_of = [](const Diagnostic& item) {
    return item.span.file != nullptr ? item.span.file->name() : std::string();
  };
  for (const Diagnostic& item : items_) rank.emplace(name_of(item), rank.size());
  std::vector<std::pair<std::size_t, const Diagnostic*>> order;
  order.reserve(items_.size());
  for (const Diagnostic& item : items_)
    if (!has_errors() || !may_be_consequence(item)) order.emplace_back(rank[name_of(item)], &item);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first, a.second->span.begin) < std::tie(b.first, b.second->span.begin);
  });
  // Equal findings need not stand side by side: another one at the same place may lie between them.
  std::vector<Diagnostic> result;
  std::size_t same_place = 0;
  for (const auto& [file, item] : order) {
    while (same_place < result.size() &&
           (rank[name_of(result[same_place])] != file || result[same_place].span.begin != item->span.begin))
      ++same_place;
    const bool seen = std::any_of(result.begin() + static_cast<std::ptrdiff_t>(same_place), result.end(),
                                  [item = item](const Diagnostic& other) {
                                    return other.code == item->code && other.message == item->message &&
                                           other.severity == item->severity;
                                  });
    if (!seen) result.push_back(*item);
  }
  return result;
}

std::string Diagnostics::render(bool color) const {
  const Paint& paint = color ? terminal_paint : plain_paint;
  const std::vector<Diagnostic> items = sorted();
  std::string text;
  for (std::size_t i = 0; i < std::min(items.size(), shown_at_most); ++i) text += render_one(items[i], paint);
  if (items.size() > shown_at_most)
    text += "... and " + std::to_string(items.size() - shown_at_most) + " more like these\n";
  return text;
}

std::string Diagnostics::to_json() const {
  nlohmann::json array = nlohmann::json::array();
  for (const Diagnostic& item : sorted()) {
    nlohmann::json entry = place_to_json(item.span);
    entry["severity"] = item.severity == Severity::error ? "error" : "warning";
    entry["code"] = item.code;
    entry["message"] = item.message;
    entry["suggestion"] = item.suggestion;
    entry["related"] = nlohmann::json::array();
    for (const Note& note : item.notes) {
      nlohmann::json related = place_to_json(note.span);
      related["message"] = note.message;
      entry["related"].push_back(std::move(related));
    }
    array.push_back(std::move(entry));
  }
  return array.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace gramflow
