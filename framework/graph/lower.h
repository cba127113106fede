#pragma once
// From a linked graph to a Program. Node types speak to the Program through these two contexts only.
#include <any>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "framework/graph/graph.h"
#include "framework/ops/channel_affine.h"
#include "framework/ops/optimization_method.h"
#include "framework/ops/program.h"

namespace gramflow {

/// The numbers that a picture turns into under a network's convention, and the values of black and white. By
/// default those of a picture itself.
struct InputSpace {
  std::string convention;  ///< printable; equal texts are equal conventions; "" for a picture
  std::array<float, 3> low = {0, 0, 0};
  std::array<float, 3> high = {1, 1, 1};
  ChannelMap from_picture, to_picture;
};

struct LayerTensor {
  std::string layer;
  TensorId tensor = no_tensor;
  // Of Gram matrices:
  TensorId mean = no_tensor;         ///< of the features, by channel; computed only where somebody reads it
  TensorId mean_square = no_tensor;  ///< likewise
  double factor = 1;                 ///< what the matrix's numbers are to be multiplied by
};

/// What an output port carries once lowered.
struct PortValue {
  TensorId tensor = no_tensor;      ///< picture, network input
  std::vector<LayerTensor> layers;  ///< features, Grams
  InputSpace space;                 ///< network input
  std::string file;  ///< picture: the one that it was read from, when it comes straight from a Load; else ""
  std::int64_t picture_width = 0;  ///< features: of what they were made from
  std::int64_t picture_height = 0;
  std::string made_by;  ///< features, Grams: printable; only what equal makers made can be compared
};

/// A layer that a consumer asks of a features or Gram output, with the place where its name is written.
struct LayerDemand {
  std::string layer;
  Span span;
};

/// For NodeType::demand.
class DemandContext {
 public:
  virtual ~DemandContext() = default;
  virtual const Node& node() const = 0;
  /// Layers asked of this node's output by its consumers, in order of first mention.
  virtual const std::vector<LayerDemand>& demanded() const = 0;
  virtual void demand(std::string_view input, const LayerDemand& layer) = 0;
  template <class Params>
  const Params& parameters() const {
    return *std::any_cast<Params>(&node().parameters);
  }
  /// The layers listed under a key of the node, each with its own place.
  std::vector<LayerDemand> listed(std::string_view key) const;
};

/// What an optimiser node decides for its loop.
struct Optimization {
  std::string node;
  Span span;
  std::int64_t iterations = 0;
  std::int64_t first_iteration = 0;  ///< of its first step, in names of previews
  std::string method;                ///< "adam", for messages
  std::function<std::unique_ptr<OptimizationMethod>()> make_method;
  InputSpace space;   ///< of the canvas
  bool clamp = true;  ///< the canvas stays in the range of pictures
  /// The method compares losses of different iterations, so that what is sampled must not change under it.
  bool stands_still = false;
  /// Whether the moments of the optimiser that `start` comes from are taken over; then carry_moments is set.
  bool wants_moments = false;
  /// From a method that has ended, with the shape of its canvas, to one that has just been bound. Both canvases
  /// are of one space.
  std::function<void(const Moments& from, Shape from_shape, OptimizationMethod& to, Shape to_shape)>
      carry_moments;
  /// From the finished canvas of the stage before to the first of this one: resized, and brought back into
  /// the range of pictures; through picture values when the spaces differ.
  std::function<void(const std::vector<float>& from, Shape from_shape, const InputSpace& from_space,
                     TensorView to)>
      carry;
};

/// A file that a node reads or writes.
struct UsedFile {
  std::string what;  ///< "picture", "network", "weights"
  std::string path;  ///< as the node opens it
  bool writes = false;
  std::string node;
  Span span;
};

/// A picture file that was, or is about to be, written.
struct MadePicture {
  std::string node;  ///< the Save's
  std::string path;
  int stage = 0;
  std::map<std::string, std::int64_t> done;  ///< iterations of this stage, by optimiser that has begun
  bool preview = false;
  bool interrupted = false;
  double clipped = 0;  ///< share of its samples, 0 to 1, that are at or beyond black or white
  std::string
      loss;  ///< "loss of 'result': 1.1 (...)", of the optimiser that has just ended; "" when none has
};

/// Where the run stands, for operations that name files by it or report what they wrote. Owned by the lowered
/// program's operations and the Session together; written by the Session between operations.
struct RunState {
  int stage = 0;
  /// Iterations done in the loop that runs or has just ended, and what that loop counts from.
  std::int64_t iteration = 0;
  std::map<std::string, std::int64_t> done;  ///< iterations of this stage, by optimiser that has begun
  std::string loss;           ///< of the optimiser that has just ended, in words; "" while one is at work
  bool stands_still = false;  ///< the loop's method wants positions that stand still
  bool preview = false;       ///< what runs now is made between iterations, and made again later
  bool interrupted = false;   ///< what runs now shows what a run that was stopped has made
  /// How a picture was made, to be kept in it; may be empty. From any thread.
  std::function<std::string(const MadePicture&)> provenance;
  /// Called with each written picture; from any thread.
  std::function<void(const MadePicture&)> saved;
  /// Called with one that could not be written, why, and where it was put instead ("" for nowhere); then the run goes
  /// on with the others. Empty: the operation fails. Not for previews. From any thread.
  std::function<void(const MadePicture&, const std::string& problem, const std::string& instead)> unsaved;
};

/// For NodeType::lower.
class LowerContext {
 public:
  virtual ~LowerContext() = default;
  virtual const Node& node() const = 0;
  /// Where the node runs this time; one in a loop may be lowered a second time, for what comes after the
  /// loop.
  virtual int section() const = 0;
  virtual const std::string& directory() const = 0;
  virtual Diagnostics& diagnostics() = 0;
  virtual const std::vector<LayerDemand>& demanded() const = 0;
  /// Of an input that has one wire; nullptr when it has none.
  virtual const PortValue* input(std::string_view port) const = 0;
  virtual std::vector<const PortValue*> inputs(std::string_view port) const = 0;
  /// Node that a wire of this port comes from (for notes); nullptr when it has none.
  virtual const Node* source(std::string_view port, std::size_t wire = 0) const = 0;
  virtual const TensorDesc& desc(TensorId tensor) const = 0;
  /// Appends an operation and returns its outputs. `step` names it within the node: "conv1_1", or "". A
  /// ShapeError is reported at `span` (default: the node) and ends the lowering of this node.
  virtual std::vector<TensorId> emit(OpPtr op, std::vector<TensorId> inputs, std::string step = "",
                                     Span span = {}) = 0;
  /// The last emitted operation also runs every so many iterations of the loop before its section; without
  /// effect where there is none.
  virtual void run_every(std::int64_t every) = 0;
  virtual const std::shared_ptr<RunState>& run_state() const = 0;
  /// Tells of a file that the node reads or writes, named by the value of `key`. One that is written must not
  /// be read or written by another node: reported, with both places. `numbered`: its name holds the
  /// iteration, so that optimisers which count differently write different files. The operation emitted next writes it.
  virtual void uses_file(std::string_view key, const std::string& path, bool writes,
                         const std::string& what = "picture", bool numbered = false) = 0;
  /// Reports a file that is missing (code "missing-file"; lines after the first explain it) and whose contents do not
  /// matter for shapes: lowering goes on, so that a pipeline can be priced without it.
  virtual void missing_file(std::string_view key, const std::string& text) = 0;
  virtual void set_output(std::string_view port, PortValue value) = 0;
  virtual void add_loss(TensorId scalar, std::string layer) = 0;
  /// For an optimiser: begins its loop and gives the canvas, a tensor like `start` that no operation makes.
  virtual TensorId optimize(TensorId start, Optimization optimization) = 0;

  template <class Params>
  const Params& parameters() const {
    return *std::any_cast<Params>(&node().parameters);
  }
  /// Reports at the value of a key of this node.
  Diagnostic& error(std::string code, std::string_view key, std::string message);
};

struct Lowered {
  Program program;
  std::vector<Optimization> optimizations;  ///< by loop
  std::shared_ptr<RunState> run_state;
  std::vector<UsedFile> files;    ///< each use once
  std::size_t missing_files = 0;  ///< errors that were reported with missing_file() alone
};

/// Lowers every used node. Reports what only shapes, files and layers can tell: an unknown layer, a picture
/// that is not there (code "missing-file") or is none ("unreadable-file"). The program is usable when
/// nothing was reported but missing_files.
Lowered lower(const Graph& graph, Diagnostics& diagnostics);

}  // namespace gramflow
