#pragma once
// The networks that a program's pipelines use: each is read once, its weights are found once, and each
// layer's packed filter is shared by every node and stage.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include "framework/ops/convolution.h"
#include "nodes/networks/network.h"
#include "nodes/networks/weights.h"

namespace gramflow {

/// One thread (the driver's). Must outlive nothing: what it hands out is shared.
class NetworkLibrary {
 public:
  explicit NetworkLibrary(NetworkPaths paths) : paths_(std::move(paths)) {}

  /// nullptr after reporting at `where`.
  std::shared_ptr<const Network> network(const std::string& name, const std::string& directory, Span where,
                                         Diagnostics& diagnostics);

  /// All that come with gramflow or lie in its folders, but those whose files have mistakes.
  std::vector<std::shared_ptr<const Network>> all();

  /// Why there are no weights for a network: the text of MissingResource; "" when there are. Finds and checks
  /// the file the first time; throws RunError for a bad one.
  std::string missing_weights(const Network& network);

  /// The file that they are read from; "" when there is none.
  const std::string& weights_file(const Network& network) { return weights_of(network).file; }

  /// The filter of one convolution, with `border` around its input. Its weights are read when it is acquired,
  /// which throws MissingResource where there are none: shapes are known without.
  std::shared_ptr<const FilterSource> filter(const std::shared_ptr<const Network>& network,
                                             const NetworkLayer& layer, Border border);

  /// Draw weights at random where there is no file, for benchmarks.
  void use_random_weights_when_missing(std::uint64_t seed) { random_seed_ = seed; }
  const NetworkPaths& paths() const { return paths_; }

 private:
  struct Weights {
    std::string file;     ///< "" when they are drawn at random, or missing
    std::string missing;  ///< why
  };
  /// Found and checked the first time.
  const Weights& weights_of(const Network& network);
  NetworkPaths paths_;
  std::optional<std::uint64_t> random_seed_;
  std::map<std::string, std::shared_ptr<const Network>> networks_;  // by directory and name
  std::map<const Network*, Weights> weights_;
  std::map<std::tuple<const Network*, std::string, Border>, std::shared_ptr<const FilterSource>> filters_;
};

}  // namespace gramflow
