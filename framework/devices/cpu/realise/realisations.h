#pragma once
// How the CPU runs each kind of op: which kernels, with how much scratch memory. One add_* a file, called by
// standard_realisations().
#include <functional>
#include <memory>
#include <typeindex>
#include <unordered_map>

#include "framework/ops/op.h"

namespace gramflow::cpu {

class PackedFilters;

using Inputs = std::span<const TensorDesc>;

struct Realisation {
  std::function<std::unique_ptr<Kernel>(const Op&, const Bindings&)> prepare;
  std::function<std::size_t(const Op&, Inputs)> scratch;  ///< bytes; empty: none
  std::function<std::size_t(const Op&)> heap;             ///< bytes; empty: none
};

class Realisations {
 public:
  template <class Kind>
  using Prepare = std::unique_ptr<Kernel> (*)(const Kind&, const Bindings&);
  template <class Kind>
  using Scratch = std::size_t (*)(const Kind&, Inputs);
  template <class Kind>
  using Heap = std::size_t (*)(const Kind&);

  template <class Kind>
  void add(Prepare<Kind> prepare, Scratch<Kind> scratch = nullptr, Heap<Kind> heap = nullptr) {
    Realisation& realisation = by_kind_[typeid(Kind)];
    realisation.prepare = [prepare](const Op& op, const Bindings& memory) {
      return prepare(static_cast<const Kind&>(op), memory);
    };
    if (scratch != nullptr)
      realisation.scratch = [scratch](const Op& op, Inputs inputs) {
        return scratch(static_cast<const Kind&>(op), inputs);
      };
    if (heap != nullptr)
      realisation.heap = [heap](const Op& op) { return heap(static_cast<const Kind&>(op)); };
  }
  template <class Kind>
  void add(Realisation realisation) {
    by_kind_[typeid(Kind)] = std::move(realisation);
  }
  /// nullptr for a kind that the CPU does not know.
  const Realisation* find(const Op& op) const {
    const auto found = by_kind_.find(typeid(op));
    return found == by_kind_.end() ? nullptr : &found->second;
  }

 private:
  std::unordered_map<std::type_index, Realisation> by_kind_;
};

void add_convolutions(Realisations& realisations, PackedFilters& filters);
void add_layers(Realisations& realisations);
void add_features(Realisations& realisations);
void add_errors(Realisations& realisations);
void add_distributions(Realisations& realisations);
void add_pictures(Realisations& realisations);

}  // namespace gramflow::cpu
