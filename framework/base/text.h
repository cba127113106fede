#pragma once
// Small text helpers shared by messages: suggestions, lists, human sizes.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gramflow {

/// The candidate closest to `word` by Damerau-Levenshtein distance, ignoring case, if no farther than max(2, length/3); "" otherwise.
std::string closest_match(std::string_view word, std::span<const std::string> candidates);
/// "did you mean 'layers'?" or "" when nothing is close.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);
/// "a, b and c"
std::string join_words(std::span<const std::string> words, std::string_view last = "and");
/// 1536 -> "1.5 KiB"; 123456789 -> "118 MiB".
std::string human_bytes(std::uint64_t bytes);
/// 0.0123 -> "12.3 ms"; 75 -> "1 min 15 s".
std::string human_seconds(double seconds);

}  // namespace gramflow
