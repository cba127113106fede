#include "pipelines/run/checkpoint_choice.h"

#include <algorithm>
#include <filesystem>

#include "framework/checkpoint/content_checksum.h"

namespace gramflow {
namespace {

constexpr double usual_seconds = 120;
constexpr double most_share = 0.01;

}  // namespace

CheckpointChoice choose_checkpoint(const std::optional<CheckpointKey>& key,
                                   const std::string& first_picture) {
  CheckpointChoice choice;
  choice.path = first_picture.empty() ? "" : first_picture + ".gramflow-checkpoint";
  if (!key) {
    choice.rhythm = {0, usual_seconds, usual_seconds, most_share};
    return choice;
  }
  choice.asked = true;
  if (key->path) choice.path = *key->path;
  choice.rhythm.iterations = key->every_iterations;
  choice.rhythm.seconds = key->every_seconds;
  if (key->every_iterations == 0) choice.rhythm.first_seconds = key->every_seconds;
  return choice;
}

CheckpointHead checkpoint_identity(const std::string& canonical_by_content, const std::string& convolution,
                                   const std::vector<std::unique_ptr<CompiledStage>>& stages) {
  CheckpointHead head;
  head.program = "gramflow " GRAMFLOW_VERSION;
  head.instructions = stages.front()->plan.devices.main->description();
  if (convolution != "auto") head.instructions += " and --conv " + convolution;
  head.pipeline = canonical_by_content;
  for (const auto& stage : stages)
    for (const UsedFile& file : stage->files) {
      if (file.writes) continue;
      std::error_code failed;
      const std::string path = std::filesystem::absolute(file.path, failed).lexically_normal().string();
      const bool known = std::any_of(head.sources.begin(), head.sources.end(),
                                     [&](const CheckpointSource& source) { return source.path == path; });
      if (!known) head.sources.push_back({file.what, path, file_checksum(path)});
    }
  return head;
}

}  // namespace gramflow
