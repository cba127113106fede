#pragma once
// Pipelines of tests: the real node types, and one more that makes pictures from formulas.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "framework/exec/run_stages.h"
#include "nodes/standard_nodes.h"
#include "tests/support/temporary_folder.h"

namespace gramflow::test {

/// Standard node types plus FormulaInput {width, height, seed, blend, blend_seed}: a network input by
/// formula.h, in the convention of `network`.
NodeTypes test_nodes(std::shared_ptr<NetworkLibrary> library);

std::shared_ptr<NetworkLibrary> library_of(const std::string& network_folder);
/// With the networks of configs/networks.
std::shared_ptr<NetworkLibrary> shipped_library();

PipelineSource pipeline(const std::string& yaml, std::vector<Override> overrides = {});

/// Keeps everything it is told.
class Recorder final : public Observer {
 public:
  struct Iteration {
    double total = 0;
    double gradient_norm = 0;
    int evaluations = 0;
    std::vector<std::pair<std::string, double>> losses;  // "style_loss", "style_loss/relu1_1"
  };
  void iteration(const IterationReport& report) override;
  const std::vector<Iteration>& iterations() const { return iterations_; }
  double loss(std::size_t iteration, const std::string& name) const;

 private:
  std::vector<Iteration> iterations_;
};

/// Compiles, proves the plans, and runs; throws what they throw.
RunSummary run(const std::string& yaml, const NodeTypes& types, RunOptions options = {}, int threads = 0,
               const Devices& devices = {});
/// For RunOptions::before_stage: NaN in all free memory before every set of operations.
void poison_free_memory(Session& session);
/// Compiled and proven.
std::vector<std::unique_ptr<CompiledStage>> compiled(const std::string& yaml, const NodeTypes& types,
                                                     int threads = 0, const Devices& devices = {});
/// The last canvas.
const std::vector<float>& result_of(const RunSummary& summary);

/// A small style transfer with vgg19-mini on formula pictures; `method` is put into the optimiser: "method:
/// adam, ...".
std::string small_transfer(const std::string& method, int width = 61, int height = 47);

}  // namespace gramflow::test
