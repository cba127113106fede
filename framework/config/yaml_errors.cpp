#include "framework/config/yaml_errors.h"

#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "framework/base/text.h"
#include "framework/config/yaml_brackets.h"

// The parser knows one place and one of forty sentences ("illegal map value"). People's mistakes are few: a
// tab, a bracket or quote left open, two colons on a line, a line indented wrongly, a `${x}` or a `@` that
// YAML reads as its own sign. So we look at the text around the place, most certain cause first, and only
// fall back to the parser's sentence.

namespace gramflow {
namespace {

bool blank(char letter) { return letter == ' ' || letter == '\t'; }

class SyntaxError {
 public:
  SyntaxError(YamlText& text, std::size_t offset, const std::string& complaint, Diagnostics& diagnostics)
      : yaml_(text),
        text_(text.text()),
        offset_(std::min(offset, text.text().size())),
        complaint_(complaint),
        diagnostics_(diagnostics) {
    line_begin_ = start_of_line(offset_);
    line_ = line_at(line_begin_);
  }

  void report(const std::vector<std::string>& known_anchors) {
    if (says("anchor is not defined")) return unknown_anchor(known_anchors);
    if (report_tabs()) return;
    if (report_braces_of_variable()) return;
    if (says("flow not found")) return unclosed_bracket();
    if (says("illegal flow end")) return extra_bracket();
    if (says("unknown token")) return reserved_sign();
    if (says("unknown escape") || says("bad character found while scanning hex") || says("invalid unicode"))
      return bad_escape();
    if (says("illegal map value")) return illegal_colon();
    if (says("illegal block entry"))
      return finish("yaml-indentation", offset_, offset_ + 1, "a list item '- ' cannot start here",
                    "put the list on lines of its own, indented below its key, or write [a, b]");
    if (says("end of map not found") || says("end of sequence not found")) return broken_block();
    if (says("illegal EOF in scalar")) return unclosed_quote();
    if (says("cannot assign multiple"))
      return finish("yaml-syntax", offset_, offset_ + 1, complaint_,
                    "a value has one anchor (&name) at most");
    if (says("alias not found") || says("anchor not found") || says("scanning alias") ||
        says("scanning anchor"))
      return finish("yaml-syntax", line_begin_ + line_.substr(0, offset_ - line_begin_).find_last_of("*&"),
                    offset_, "'*' and '&' start the name of an alias or anchor in YAML, and none stands here",
                    "put a text that starts with them in quotes");
    if (says("aliases can't have"))
      return finish("yaml-syntax", offset_, offset_ + 1,
                    "an alias (*name) stands alone; anchors and tags cannot be added to it", "");
    finish("yaml-syntax", offset_, offset_ + 1, "this is no YAML: " + complaint_, "");
  }

 private:
  bool says(std::string_view part) const { return complaint_.find(part) != std::string::npos; }

  std::size_t start_of_line(std::size_t at) const {
    while (at > 0 && text_[at - 1] != '\n') --at;
    return at;
  }
  std::string_view line_at(std::size_t begin) const {
    const std::size_t end = text_.find('\n', begin);
    return std::string_view(text_).substr(begin, end == std::string::npos ? std::string::npos : end - begin);
  }
  static std::size_t indentation(std::string_view line) {
    std::size_t at = 0;
    while (at < line.size() && blank(line[at])) ++at;
    return at;
  }
  static bool empty_or_comment(std::string_view line) {
    const std::size_t at = indentation(line);
    return at == line.size() || line[at] == '#';
  }

  void finish(std::string code, std::size_t begin, std::size_t end, std::string message,
              std::string suggestion) {
    diagnostics_.error(std::move(code), yaml_.span(begin, end), std::move(message))
        .suggest(std::move(suggestion));
  }

  /// Every line that is indented with a tab, when the line of the error is one of them or stands right behind
  /// one.
  bool report_tabs() {
    const auto tab_in_indentation = [](std::string_view line) {
      return line.substr(0, indentation(line)).find('\t') != std::string_view::npos &&
             !empty_or_comment(line);
    };
    std::size_t before = line_begin_;
    std::string_view previous;
    while (before > 0 && empty_or_comment(previous)) {
      before = start_of_line(before - 1);
      previous = line_at(before);
    }
    if (!tab_in_indentation(line_) && !tab_in_indentation(previous)) return false;
    constexpr int enough = 20;
    int reported = 0;
    for (std::size_t at = 0; at < text_.size() && reported < enough; at += line_at(at).size() + 1) {
      const std::string_view line = line_at(at);
      if (!tab_in_indentation(line)) continue;
      const std::size_t tab = at + line.find('\t');
      std::size_t end = tab;
      while (end < text_.size() && text_[end] == '\t') ++end;
      finish("yaml-tab", tab, end, "this line is indented with a tab; YAML indents with spaces only",
             "use two spaces");
      ++reported;
    }
    return true;
  }

  /// ${x} inside of { } or [ ], where YAML takes the brace for its own.
  bool report_braces_of_variable() {
    const std::size_t limit = std::min(line_.size(), offset_ - line_begin_ + 2);
    const std::size_t dollar = line_.substr(0, limit).rfind("${");
    if (dollar == std::string_view::npos) return false;
    const std::size_t close = line_.find('}', dollar);
    const std::string_view before = line_.substr(0, dollar);
    const bool in_brackets =
        before.find('{') != std::string_view::npos || before.find('[') != std::string_view::npos;
    if (close == std::string_view::npos || !in_brackets) return false;
    const std::string_view written = line_.substr(dollar, close + 1 - dollar);
    finish("yaml-syntax", line_begin_ + dollar, line_begin_ + close + 1,
           fmt::format("inside of {{ }} or [ ] YAML takes the braces of {} for its own", one_line(written)),
           fmt::format("write ${}, or put quotes around the text: \"{}\"",
                       one_line(line_.substr(dollar + 2, close - dollar - 2)), one_line(written)));
    return true;
  }

  void unknown_anchor(const std::vector<std::string>& known) {
    if (line_.substr(indentation(line_)).starts_with("<<")) return;  // reported as a merge key already
    const std::string name(yaml_.anchor_name(offset_));
    std::string hint = did_you_mean(name, known);
    if (hint.empty())
      hint = known.empty() ? "a text that starts with * needs quotes" : "known here: " + join_words(known);
    finish(
        "yaml-alias", offset_, offset_ + 1 + name.size(),
        fmt::format("no value was given the name {} with &{} before this place", quote(name), one_line(name)),
        hint);
  }

  void unclosed_quote() {
    const BracketScan scan = scan_brackets(text_, text_.size());
    const std::size_t place = scan.open_quote != BracketScan::nowhere ? scan.open_quote : offset_;
    finish("yaml-unclosed", place, place + 1, "this quote is never closed", "add the closing quote");
  }

  void unclosed_bracket() {
    // The parser noticed late; the bracket that is still open says more.
    const BracketScan scan = scan_brackets(text_, offset_);
    if (scan.mismatch != BracketScan::nowhere) return mismatched(scan);
    if (scan.open.empty()) return missing_comma();
    const std::size_t at = scan.open.back();
    const char bracket = text_[at];
    const Span here = yaml_.span(offset_, offset_ + 1);
    Diagnostic& diagnostic =
        diagnostics_
            .error("yaml-unclosed", yaml_.span(at, at + 1), fmt::format("this '{}' is never closed", bracket))
            .suggest(fmt::format("add '{}' where the {} ends", bracket == '[' ? ']' : '}',
                                 bracket == '[' ? "list" : "map"));
    if (here.begin.line > diagnostic.span.begin.line)
      diagnostic.note(offset_ + 1 >= text_.size() ? "the file ends here" : "the text stops making sense here",
                      here);
  }

  /// {path: a.jpg size: 3}: all brackets are closed, but two values run into each other.
  void missing_comma() {
    if (offset_ > 0 && (text_[offset_ - 1] == '\'' || text_[offset_ - 1] == '"')) return text_behind_quote();
    std::size_t begin = offset_;
    if (begin < text_.size() && text_[begin] == ':') {
      while (begin > line_begin_ && !blank(text_[begin - 1]) &&
             std::string_view(",[]{}").find(text_[begin - 1]) == std::string_view::npos)
        --begin;
    }
    if (begin < offset_) {
      return finish("yaml-syntax", begin, offset_,
                    fmt::format("a ',' is missing before {}",
                                quote(std::string_view(text_).substr(begin, offset_ - begin))),
                    "write {key: value, key: value}");
    }
    finish("yaml-syntax", offset_, offset_ + 1, "a ',' or the closing bracket was expected here",
           "write {key: value, key: value} or [a, b]; texts with , : { } [ ] or # need quotes");
  }

  void mismatched(const BracketScan& scan) {
    const std::size_t open = scan.open.back();
    const char wanted = text_[open] == '[' ? ']' : '}';
    diagnostics_
        .error("yaml-unclosed", yaml_.span(scan.mismatch, scan.mismatch + 1),
               fmt::format("'{}' was found; '{}' was expected to close the '{}'", text_[scan.mismatch],
                           wanted, text_[open]))
        .suggest(fmt::format("write '{}' here", wanted))
        .note("opened here", yaml_.span(open, open + 1));
  }

  void extra_bracket() {
    const BracketScan scan = scan_brackets(text_, offset_);
    if (scan.mismatch != BracketScan::nowhere) return mismatched(scan);
    const char bracket = offset_ < text_.size() ? text_[offset_] : ']';
    finish("yaml-unclosed", offset_, offset_ + 1, fmt::format("this '{}' closes nothing", bracket),
           "remove it, or quote the text it belongs to");
  }

  void reserved_sign() {
    const char sign = offset_ < text_.size() ? text_[offset_] : ' ';
    if (sign == '\t')
      return finish("yaml-tab", offset_, offset_ + 1, "a tab stands here; YAML separates with spaces",
                    "use a space");
    finish("yaml-syntax", offset_, offset_ + 1,
           fmt::format("a plain text cannot start with '{}' in YAML", sign), "put it in quotes");
  }

  void bad_escape() {
    std::size_t begin = offset_;
    while (begin > line_begin_ && text_[begin] != '\\') --begin;
    finish("yaml-syntax", begin, offset_ + 1,
           "\"...\" takes a backslash for the start of an escape, and this one is unknown",
           "write \\\\ for a backslash, or use '...' where it means itself");
  }

  void illegal_colon() {
    const std::string_view before = line_.substr(0, offset_ - line_begin_);
    const std::size_t first_colon = before.find(": ");
    if (first_colon != std::string_view::npos) {
      return finish("yaml-syntax", offset_, offset_ + 1,
                    "a second ': ' on this line; the value before it is a plain text",
                    "put quotes around a text that holds ': ', or put the inner key on a line of its own");
    }
    // A text over several lines ends in what was meant as a key: the line above has a value, or no colon.
    std::size_t above = line_begin_;
    std::string_view previous;
    while (above > 0 && empty_or_comment(previous)) {
      above = start_of_line(above - 1);
      previous = line_at(above);
    }
    const std::size_t key = line_begin_ + indentation(line_);
    if (!empty_or_comment(previous) && previous.find(':') == std::string_view::npos) {
      const std::size_t word = above + indentation(previous);
      return finish("yaml-syntax", word, above + previous.size(), "this line has no ':' behind its key",
                    "write 'key: value'");
    }
    if (!empty_or_comment(previous) && indentation(line_) > indentation(previous)) {
      diagnostics_
          .error("yaml-indentation", yaml_.span(key, offset_),
                 "this key is indented deeper than the line above, which already has its value")
          .suggest(fmt::format("indent it by {} spaces, like the line above", indentation(previous)))
          .note("the line above", yaml_.span(above + indentation(previous), above + previous.size()));
      return;
    }
    if (report_missing_space(above, previous)) return;
    finish("yaml-syntax", offset_, offset_ + 1, "a ':' cannot stand here",
           "write 'key: value', with the key on a line of its own");
  }

  /// "size:512" above a good line: YAML reads both as one text.
  bool report_missing_space(std::size_t begin, std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon + 1 >= line.size() || blank(line[colon + 1])) return false;
    finish("yaml-syntax", begin + colon, begin + colon + 1, "there is no space behind this ':'",
           fmt::format("write '{}: {}'", one_line(line.substr(indentation(line), colon - indentation(line))),
                       one_line(line.substr(colon + 1))));
    return true;
  }

  void text_behind_quote() {
    finish("yaml-syntax", offset_, offset_ + 1,
           "a quoted text ended before this place, and nothing may follow it",
           "write '' for an apostrophe inside of '...', or use \"...\" around the text");
  }

  void broken_block() {
    const std::size_t column = offset_ - line_begin_;
    if (column > 0 && (text_[offset_ - 1] == '"' || text_[offset_ - 1] == '\'' ||
                       line_.substr(0, column).find_first_of("\"'") != std::string_view::npos)) {
      return text_behind_quote();
    }
    const std::string_view rest = line_.substr(std::min(column, line_.size()));
    if (rest.starts_with("- ") || rest == "-") {
      return finish("yaml-indentation", offset_, offset_ + 1, "a list item stands where a key was expected",
                    "indent all items of a list alike, below their key");
    }
    if (rest.find(':') == std::string_view::npos)
      return finish("yaml-syntax", offset_, offset_ + rest.size(), "a key with ':' was expected here",
                    "write 'key: value'");
    finish(
        "yaml-indentation", offset_, offset_ + std::min(rest.find(':'), rest.size()),
        "this line is indented by " + std::to_string(column) + " spaces, which fits none of the blocks above",
        "indent keys of the same map by the same number of spaces");
  }

  YamlText& yaml_;
  const std::string& text_;
  std::size_t offset_;
  const std::string& complaint_;
  Diagnostics& diagnostics_;
  std::size_t line_begin_ = 0;
  std::string_view line_;
};

}  // namespace

void report_syntax_error(YamlText& text, std::size_t offset, const std::string& complaint,
                         const std::vector<std::string>& known_anchors, Diagnostics& diagnostics) {
  SyntaxError(text, offset, complaint, diagnostics).report(known_anchors);
}

}  // namespace gramflow
