#include "framework/checkpoint/checkpoint_store.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

namespace gramflow {
namespace {

bool exists(const std::string& path) {
  struct ::stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

bool whole(const std::string& path) {
  if (!looks_like_checkpoint(path)) return false;
  try {
    const CheckpointFile file(path);
    return true;
  } catch (const DamagedCheckpoint&) {
    return false;
  }
}

}  // namespace

// A damaged one never takes the place of a whole one. The newest is linked to its second name first, so that it never is without a name. Where there are no
// links, it is renamed: then for a moment only the older name is there.
void CheckpointStore::write(const CheckpointHead& head, std::span<const std::span<const float>> vectors) {
  const std::string before = older();
  if (newest_is_whole_ || whole(path_)) {
    if (looks_like_checkpoint(before)) ::unlink(before.c_str());
    if (!exists(before) && ::link(path_.c_str(), before.c_str()) != 0)
      std::rename(path_.c_str(), before.c_str());
  }
  newest_is_whole_ = false;
  write_checkpoint(path_, head, vectors);
  newest_is_whole_ = true;
}

FoundCheckpoint CheckpointStore::find() const {
  FoundCheckpoint found;
  for (const std::string& path : {path_, older()}) {
    if (!exists(path)) continue;
    try {
      found.file = std::make_unique<CheckpointFile>(path);
      return found;
    } catch (const DamagedCheckpoint& problem) {
      found.damaged.push_back(path + ": this checkpoint cannot be used: " + problem.what());
    }
  }
  return found;
}

void CheckpointStore::remove() const {
  for (const std::string& path : {path_, older()})
    if (looks_like_checkpoint(path)) ::unlink(path.c_str());
}

std::string CheckpointStore::in_the_way() const {
  for (const std::string& path : {path_, older()})
    if (exists(path) && !looks_like_checkpoint(path)) return path;
  return "";
}

}  // namespace gramflow
