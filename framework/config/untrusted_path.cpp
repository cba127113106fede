#include "framework/config/untrusted_path.h"

#include <algorithm>
#include <filesystem>

#include "framework/base/text.h"

namespace gramflow {
namespace fs = std::filesystem;

std::string untrusted_spelling_problem(const std::string& path) {
  const fs::path plain(path);
  if (plain.is_absolute()) return "is an absolute path";
  if (std::find(plain.begin(), plain.end(), "..") != plain.end()) return "leads upwards with '..'";
  return "";
}

std::string untrusted_place_problem(const std::string& path, const std::string& folder) {
  std::error_code failed;
  const fs::path real = fs::weakly_canonical(fs::absolute(path, failed), failed);
  if (failed) return "leads to a place that cannot be told";
  const fs::path around = fs::weakly_canonical(fs::absolute(folder.empty() ? "." : folder, failed), failed);
  if (failed) return "leads to a place that cannot be told";
  const auto [left, rest] = std::mismatch(around.begin(), around.end(), real.begin(), real.end());
  if (left == around.end()) return "";
  return "leads to " + quote(real.string(), 200) + ", outside of " + quote(around.string(), 200);
}

bool was_typed(const Value& value) {
  const SourceFile* file = value.written_in();
  return file != nullptr && file->typed_for().has_value() && !file->name().starts_with("${env:");
}

}  // namespace gramflow
