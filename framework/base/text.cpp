#include "framework/base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

// Distances are optimal-string-alignment Damerau-Levenshtein: insert, delete, replace, swap of neighbours
// each cost 1. Pipelines of ten thousand nodes with a misspelt reference in each must stay quick, so pairs
// that cannot be near are dismissed by their length and by which letters they hold before a table is filled.

namespace gramflow {
namespace {

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& letter : result) letter = lower(letter);
  return result;
}

/// One bit for each kind of letter in a text: two texts at distance d differ in at most 2d bits.
std::uint64_t letters_of(std::string_view text) {
  std::uint64_t letters = 0;
  for (const char letter : text)
    letters |= std::uint64_t{1} << (static_cast<unsigned char>(lower(letter)) % 64);
  return letters;
}

int count_bits(std::uint64_t bits) {
  int count = 0;
  for (; bits != 0; bits &= bits - 1) ++count;
  return count;
}

/// The distance, or limit + 1 as soon as it is known to be larger.
int distance(std::string_view a, std::string_view b, int limit) {
  const std::size_t columns = b.size() + 1;
  std::vector<int> before(columns), previous(columns), current(columns);
  for (std::size_t j = 0; j < columns; ++j) previous[j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = static_cast<int>(i);
    int smallest = current[0];
    for (std::size_t j = 1; j < columns; ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      int best = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]))
        best = std::min(best, before[j - 2] + 1);
      current[j] = best;
      smallest = std::min(smallest, best);
    }
    if (smallest > limit) return limit + 1;
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

/// What somebody who types "iter" or "learning" means: the only candidate that starts with it.
std::string only_completion(std::string_view word, std::span<const std::string> candidates) {
  if (word.size() < 3) return "";
  const std::string start = lower(word);
  std::string found;
  for (const std::string& candidate : candidates) {
    if (!lower(candidate).starts_with(start)) continue;
    if (!found.empty() && found != candidate) return "";
    found = candidate;
  }
  return found;
}

}  // namespace

std::string closest_match(std::string_view word, std::span<const std::string> candidates) {
  constexpr std::size_t longest_word = 200;  // nobody misspells a word of this length
  if (word.empty() || word.size() > longest_word) return "";
  const int limit = std::max(2, static_cast<int>(word.size() / 3));
  const std::uint64_t letters = letters_of(word);
  const std::string* best = nullptr;
  int best_distance = limit + 1;
  for (const std::string& candidate : candidates) {
    const int lengths = std::abs(static_cast<int>(candidate.size()) - static_cast<int>(word.size()));
    if (candidate.size() > longest_word || lengths >= best_distance) continue;
    if (count_bits(letters ^ letters_of(candidate)) >= 2 * best_distance) continue;
    const int found = distance(word, candidate, best_distance - 1);
    // Replacing half of the letters of a short word is no misspelling.
    if (found < best_distance && 2 * found < static_cast<int>(std::max(word.size(), candidate.size()))) {
      best = &candidate;
      best_distance = found;
    }
  }
  return best != nullptr ? *best : only_completion(word, candidates);
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::string match = closest_match(word, candidates);
  return match.empty() ? "" : fmt::format("did you mean '{}'?", match);
}

std::string join_words(std::span<const std::string> words, std::string_view last) {
  std::string result;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) result += i + 1 == words.size() ? fmt::format(" {} ", last) : ", ";
    result += words[i];
  }
  return result;
}

std::string human_bytes(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  static constexpr const char* units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double amount = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (amount >= 1023.5 && unit + 1 < std::size(units)) {
    amount /= 1024;
    ++unit;
  }
  return amount < 99.95 ? fmt::format("{:.1f} {}", amount, units[unit])
                        : fmt::format("{:.0f} {}", amount, units[unit]);
}

std::string human_seconds(double seconds) {
  if (!std::isfinite(seconds)) return "unknown";
  if (seconds < 0) return fmt::format("-{}", human_seconds(-seconds));
  if (seconds < 0.9995e-3) return fmt::format("{:.3g} us", seconds * 1e6);
  if (seconds < 0.9995) return fmt::format("{:.3g} ms", seconds * 1e3);
  if (seconds < 59.95) return fmt::format("{:.3g} s", seconds);
  const double whole = std::round(seconds);
  if (whole < 3600) return fmt::format("{:.0f} min {:.0f} s", std::floor(whole / 60), std::fmod(whole, 60));
  const double minutes = std::round(seconds / 60);
  return fmt::format("{:.0f} h {:.0f} min", std::floor(minutes / 60), std::fmod(minutes, 60));
}

char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  const char32_t first = byte(at++);
  if (first < 0x80) return first;
  const std::size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  if (first < 0xC2 || first > 0xF4 || at + more > text.size()) return invalid_code_point;
  char32_t point = first & (0x3Fu >> more);
  for (std::size_t i = 0; i < more; ++i) {
    if ((byte(at + i) & 0xC0u) != 0x80u) return invalid_code_point;
    point = (point << 6) | (byte(at + i) & 0x3Fu);
  }
  static constexpr char32_t smallest[] = {0, 0x80, 0x800,
                                          0x10000};  // longer spellings of smaller ones are invalid
  if (point < smallest[more] || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
    return invalid_code_point;
  at += more;
  return point;
}

namespace {

/// Of a letter that nobody sees, or takes for a blank; "" for others.
std::string_view unseen_name(char32_t point) {
  switch (point) {
    case 0xA0:
      return "no-break space";
    case 0xAD:
      return "soft hyphen";
    case 0x200B:
      return "zero width space";
    case 0x200C:
      return "zero width non-joiner";
    case 0x200D:
      return "zero width joiner";
    case 0x200E:
      return "left-to-right mark";
    case 0x200F:
      return "right-to-left mark";
    case 0x2007:
      return "figure space";
    case 0x2009:
      return "thin space";
    case 0x202F:
      return "narrow no-break space";
    case 0x2028:
      return "line separator";
    case 0x2029:
      return "paragraph separator";
    case 0x202A:
    case 0x202B:
    case 0x202C:
    case 0x202D:
    case 0x202E:
      return "text direction mark";
    case 0x2060:
      return "word joiner";
    case 0x3000:
      return "wide space";
    case 0xFEFF:
      return "byte order mark";
    default:
      return "";
  }
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t point = next_code_point(text, at);
    if (point == '\n') {
      result += "\\n";
    } else if (point == '\t') {
      result += "\\t";
    } else if (point == '\r') {
      result += "\\r";
    } else if (const std::string_view name = unseen_name(point); !name.empty()) {
      result += fmt::format("<{}>", name);
    } else if (point == invalid_code_point || point < 0x20 || point == 0x7F) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[begin]));
    } else {
      result += text.substr(begin, at - begin);
    }
  }
  return result;
}

std::string quote(std::string_view text, std::size_t longest) {
  if (text.size() <= longest) return fmt::format("'{}'", one_line(text));
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0u) == 0x80u)
    --end;  // not inside a code point
  return fmt::format("'{}...'", one_line(text.substr(0, end)));
}

}  // namespace gramflow
