#pragma once
// Everything that a checkpoint holds beside its vectors of floats: plain data, no pointers, and its bytes.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/error.h"
#include "framework/ops/optimization_method.h"

namespace gramflow {

/// A file that is no whole checkpoint. The text says what is wrong with it, without its path.
class DamagedCheckpoint : public RunError {
 public:
  using RunError::RunError;
};

/// A file that the run read. `checksum` is that of content_checksum.h, "" when it could not be made.
struct CheckpointSource {
  std::string what;  ///< "picture", "weights", "network"
  std::string path;  ///< absolute
  std::string checksum;
  bool operator==(const CheckpointSource&) const = default;
};

/// What an evaluation of the loss found that a method may still report.
struct KeptEvaluation {
  std::int64_t index = -1;
  double gradient_norm = 0;
  std::vector<double> scalars;  ///< the loss terms, in the plan's order
  bool operator==(const KeptEvaluation&) const = default;
};

/// Where one loop stands between two of its steps, apart from its memory.
struct LoopState {
  int loop = -1;                ///< of its stage, from 0; -1: none has begun
  std::int64_t iteration = 0;   ///< iterations done
  std::int64_t steps = 0;       ///< those that went somewhere
  double start = 0;             ///< loss before the first one
  double clipped_at_start = 0;  ///< share of the canvas
  bool stopped = false;         ///< by its method
  bool concluded = false;       ///< it has ended: the canvas is what the method had to show
  std::string stop_reason;
  OptimizerState method;
  std::int64_t evaluation_count = 0;
  std::vector<KeptEvaluation> evaluations;
};

/// One vector of floats in the file.
struct CheckpointVector {
  std::string name;
  std::uint64_t floats = 0;
  bool operator==(const CheckpointVector&) const = default;
};

struct CheckpointHead {
  std::string program;       ///< "gramflow 0.1.0"
  std::string instructions;  ///< "AVX2": other ones round differently
  /// The canonical pipeline, files named by what they hold, so that a moved folder is the same pipeline.
  std::string pipeline;
  std::vector<CheckpointSource> sources;
  int stage = 0;                            ///< from 0
  std::vector<std::int64_t> finished;       ///< iterations that the loops before this one made in this stage
  std::vector<std::string> finished_words;  ///< what is said of the loss that each of them came to
  LoopState loop;
  std::vector<CheckpointVector> vectors;  ///< in the order of the file
};

/// Little-endian, lengths in front. The same head gives the same bytes.
std::string encode_head(const CheckpointHead& head);
/// Throws DamagedCheckpoint for bytes that encode_head() cannot have made. Takes memory in proportion to
/// the bytes.
CheckpointHead decode_head(std::string_view bytes);

}  // namespace gramflow
