#include "framework/graph/unused_parameter.h"

namespace gramflow {

void warn_unused_parameter(LowerContext& context, std::string_view key, std::string_view chooser,
                           const std::string& message) {
  const Value* value = context.node().value_of(key);
  if (value == nullptr || value->is_null() || value->broken) return;
  const Value* choice = context.node().value_of(chooser);
  const bool typed = value->written_in() != nullptr && value->written_in()->typed_for();
  if (!typed && choice != nullptr && choice->written_in() != value->written_in()) return;
  Diagnostic& diagnostic = context.diagnostics().warning("unused-parameter", value->span, message);
  diagnostic.notes = value->notes;
  if (choice != nullptr) diagnostic.note("chosen here", choice->span);
}

}  // namespace gramflow
