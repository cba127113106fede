#pragma once
// Small text helpers shared by messages: suggestions, lists, human sizes.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gramflow {

/// The candidate closest to `word` by Damerau-Levenshtein distance, ignoring case, if no farther than max(2,
/// length/3) and less than half of the word; else the only candidate that starts with `word`; else "".
std::string closest_match(std::string_view word, std::span<const std::string> candidates);
/// "did you mean 'layers'?" or "" when nothing is close.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);
/// "a, b and c"
std::string join_words(std::span<const std::string> words, std::string_view last = "and");
/// 1536 -> "1.5 KiB"; 123456789 -> "118 MiB".
std::string human_bytes(std::uint64_t bytes);
/// 0.0123 -> "12.3 ms"; 75 -> "1 min 15 s".
std::string human_seconds(double seconds);

/// What next_code_point() gives for a byte that starts no valid UTF-8 sequence.
inline constexpr char32_t invalid_code_point = 0xFFFFFFFF;
/// Decodes the UTF-8 sequence at `at` (less than the size) and moves `at` past it; past one byte when it is
/// invalid.
char32_t next_code_point(std::string_view text, std::size_t& at);
/// The text with control characters and invalid UTF-8 shown as escapes, so that it fits in a line of a
/// message.
std::string one_line(std::string_view text);
/// 'text' in quotes for a message: one line, cut after `longest` bytes.
std::string quote(std::string_view text, std::size_t longest = 60);

}  // namespace gramflow
