#include "nodes/features/import/child_numbers.h"

#include <cstring>

#include "framework/base/error.h"
#include "nodes/features/printable.h"

namespace gramflow {

std::vector<std::vector<float>> numbers_from_child(const std::vector<SourceTensor>& wanted,
                                                   FunctionRef<std::vector<std::vector<float>>()> read,
                                                   std::uint64_t memory, const std::string& shown,
                                                   const std::string& crashed) {
  constexpr std::uint64_t longest_message = 1U << 16;  // if there is an error instead of an answer
  constexpr std::uint64_t most_elements = 1ULL << 28;
  std::vector<std::uint64_t> counts;
  std::uint64_t total = 0;
  for (const SourceTensor& tensor : wanted) {
    std::uint64_t count = 1;
    for (const std::int64_t side : tensor.shape)
      if (side < 0 || __builtin_mul_overflow(count, static_cast<std::uint64_t>(side), &count) ||
          count > most_elements)
        throw RunError(shown + ": dataset '" + printable(tensor.name) + "' is larger than any of a VGG's");
    counts.push_back(count);
    total += count;
  }
  const auto work = [&] {
    std::string bytes;
    for (const std::vector<float>& values : read())
      bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
    return bytes;
  };
  const std::uint64_t size = total * sizeof(float);
  const std::string bytes = run_isolated(work, {120, memory + 3 * size, size + longest_message}, crashed);
  if (bytes.size() != size) throw RunError(crashed);
  std::vector<std::vector<float>> result;
  std::size_t at = 0;
  for (const std::uint64_t count : counts) {
    std::vector<float>& values = result.emplace_back(count);
    if (count > 0) std::memcpy(values.data(), bytes.data() + at, count * sizeof(float));
    at += count * sizeof(float);
  }
  return result;
}

}  // namespace gramflow
