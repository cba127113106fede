#include <fmt/format.h>

#include "framework/observers/observer.h"

namespace gramflow {

std::string in_words(const LoopResult& result) {
  std::string parts;
  if (result.losses.size() > 1)
    for (const ReportedLoss& loss : result.losses)
      parts += fmt::format("{}{} {:.4g}", parts.empty() ? " (" : ", ", loss.node, loss.value);
  return fmt::format("loss of '{}': {:.4g}{}{}", result.optimizer, result.total, parts,
                     parts.empty() ? "" : ")");
}

}  // namespace gramflow
