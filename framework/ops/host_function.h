#pragma once
// An operation of a node's own, which runs on the host: reading, resizing and writing pictures, converting
// them. It has no gradient, so it cannot stand between the canvas and a loss.
#include <functional>
#include <string>
#include <vector>

#include "framework/ops/op.h"

namespace gramflow {

class HostFunction final : public Op {
 public:
  struct Description {
    std::string kind;        ///< "Load"
    std::string attributes;  ///< for printing
    std::vector<TensorDesc> outputs;
    std::size_t scratch_bytes = 0;
    std::size_t transient_bytes = 0;  ///< heap memory of a library during the call, for the memory figure
    bool has_effect = false;
    std::function<void(const Bindings&)> run;  ///< may throw RunError and MissingResource
    std::function<void()> preflight;           ///< optional; see Op
    std::function<void()> trial;               ///< optional; see Op
  };
  explicit HostFunction(Description description) : description_(std::move(description)) {}

  const Description& description() const { return description_; }
  std::string_view kind() const override { return description_.kind; }
  std::string attributes() const override { return description_.attributes; }
  std::vector<TensorDesc> infer(std::span<const TensorDesc>) const override { return description_.outputs; }
  bool has_effect() const override { return description_.has_effect; }
  bool differentiable() const override { return false; }
  void preflight() const override {
    if (description_.preflight) description_.preflight();
  }
  void trial() const override {
    if (description_.trial) description_.trial();
  }

 private:
  Description description_;
};

}  // namespace gramflow
