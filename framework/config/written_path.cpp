#include "framework/config/written_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "framework/base/text.h"

namespace gramflow {
namespace fs = std::filesystem;
namespace {

struct Place {
  std::string folder;
  std::string name;    ///< "beside look.yaml"
  bool first = false;  ///< where a reader looks
};

/// Where a path leads from a folder. Behind a link to a folder "../a" has two meanings: beside the link,
/// which is tried first, and beside what it leads to.
std::string in_folder(const std::string& folder, const std::string& path) {
  const fs::path whole = fs::path(folder) / path;
  const std::string plain = whole.lexically_normal().string();
  std::error_code ignored;
  return fs::exists(plain, ignored) || !fs::exists(whole, ignored) ? plain : whole.string();
}

void add_folders(std::vector<Place>& places, const std::string& file, bool first) {
  const std::vector<std::string> folders = folders_beside(file);
  for (std::size_t i = 0; i < folders.size(); ++i)
    places.push_back({folders[i],
                      i == 0 ? fmt::format("beside {}", quote(file))
                             : fmt::format("beside the file that the link {} leads to", quote(file)),
                      first && i == 0});
}

std::vector<Place> places_of(const SourceFile* written_in, const std::string& main_folder) {
  std::vector<Place> places;
  const Place current{"", "in the current folder", false};
  if (written_in == nullptr) {
    places = {{main_folder, "beside the pipeline", true}, current};
  } else if (written_in->typed_for()) {
    places.push_back({"", "in the current folder", true});
    add_folders(places, *written_in->typed_for(), false);
  } else {
    add_folders(places, written_in->name(), true);
    places.push_back({main_folder, "beside the pipeline", false});
    places.push_back(current);
  }
  return places;
}

}  // namespace

std::vector<std::string> folders_beside(const std::string& file) {
  std::vector<std::string> folders;
  fs::path path = file;
  constexpr int longest_chain = 40;  // of links, as in the kernel
  for (int i = 0; i < longest_chain; ++i) {
    const std::string folder = path.parent_path().lexically_normal().string();
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) folders.push_back(folder);
    std::error_code no_link;
    const fs::path target = fs::read_symlink(path, no_link);
    if (no_link) break;
    path = path.parent_path() / target;
  }
  return folders;
}

FoundFile find_written(const std::string& path, const Value& value, const std::string& main_folder) {
  FoundFile result;
  std::error_code ignored;
  if (path.empty()) return result;
  if (fs::path(path).is_absolute()) {
    result.looked.push_back(path);
    if (fs::exists(path, ignored)) result.path = path;
    return result;
  }
  const std::vector<Place> places = places_of(value.written_in(), main_folder);
  const Place* found = nullptr;
  for (const Place& place : places) {
    const std::string candidate = in_folder(place.folder, path);
    const bool again =
        std::find(result.looked.begin(), result.looked.end(), candidate) != result.looked.end();
    if (!again) result.looked.push_back(candidate);
    if (again || !fs::exists(candidate, ignored)) continue;
    if (found == nullptr) {
      found = &place;
      result.path = candidate;
      if (place.first) continue;
      result.elsewhere = true;
      result.told = fmt::format("{} is not {}; {}, {}, is read", quote(path), places.front().name,
                                quote(candidate, 200), place.name);
    } else if (result.told.empty() && !fs::equivalent(candidate, result.path, ignored)) {
      result.told = fmt::format(
          "{} is read, {}, where the name was {}; {} is another file", quote(result.path, 200), found->name,
          value.written_in() != nullptr && value.written_in()->typed_for() ? "typed" : "written",
          quote(candidate, 200));
    }
  }
  return result;
}

void tell_found(const FoundFile& found, const Value& value, Diagnostics& diagnostics) {
  if (found.told.empty()) return;
  Diagnostic& diagnostic = found.elsewhere ? diagnostics.warning("found-elsewhere", value.span, found.told)
                                           : diagnostics.warning("two-candidates", value.span, found.told);
  diagnostic.notes = value.notes;
  diagnostic.suggest("an absolute path has one meaning everywhere");
}

}  // namespace gramflow
