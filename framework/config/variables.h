#pragma once
// Variables and their replacement in values: $name, ${name}, ${env:NAME:-default}.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "framework/base/diagnostics.h"
#include "framework/config/value.h"

namespace gramflow {

/// A name and what it stands for, which may itself hold variables.
struct Variable {
  ValuePtr value;
  Span name_span;
  bool used = false;
  // Set by Substitution:
  bool resolving = false;
  ValuePtr resolved;
};

/// The names that can be seen from a place: those of the file, or inside of a subgraph its parameters and
/// then the file's.
struct Scope {
  Scope* parent = nullptr;
  std::string subgraph;  ///< its name; "" for the file
  std::map<std::string, Variable, std::less<>> variables;
  std::vector<std::string> inputs;  ///< of the subgraph: people write $content for them
  Variable* find(std::string_view name, Scope** owner = nullptr);
  std::vector<std::string> names() const;
};

/// A letter or '_', then letters, digits and '_'.
bool is_variable_name(std::string_view text);
/// The names in $name and ${name} of a text.
std::vector<std::string> mentioned_variables(std::string_view text);
/// What stands for a value that could not be found, once that was reported.
ValuePtr broken_value(const Span& place);
/// The text with every dollar doubled, so that reading it gives the text back.
std::string escape_dollars(std::string_view text);

/// Replaces variables in values. Reports unknown ones, rings, and what cannot stand inside of a text; a
/// broken value stands in for what could not be found.
class Substitution {
 public:
  explicit Substitution(Diagnostics& diagnostics) : diagnostics_(&diagnostics) {}
  ValuePtr apply(const ValuePtr& value, Scope& scope) { return apply(value, scope, 0); }
  /// The value of a variable with all variables in it replaced.
  ValuePtr resolve(const std::string& name, Variable& variable, Scope& owner);
  /// What a file says may not ask for environment variables from now on; what was typed may.
  void forbid_environment() { environment_forbidden_ = true; }
  /// Names of nodes, for the hint that they are written without a dollar.
  void set_node_names(std::vector<std::string> names) { node_names_ = std::move(names); }

 private:
  /// A text with its variables put in.
  struct Pieces {
    std::string text;
    std::vector<Note> notes;
    std::shared_ptr<const SourceFile> origin;  ///< of the first piece, when it is that of a variable
    std::vector<std::shared_ptr<const SourceFile>> sources;  ///< what was typed of it
  };

  ValuePtr apply(const ValuePtr& value, Scope& scope, int depth);
  ValuePtr apply_to_data(const ValuePtr& value, Scope& scope, int depth);
  ValuePtr apply_to_typed(const ValuePtr& value, Scope& scope, int depth);
  /// False after a report.
  bool replace_in_text(std::string_view text, const ValuePtr& value, Scope& scope, Pieces& pieces);
  bool add_piece(Pieces& pieces, std::string_view written, const ValuePtr& found, const Value& place);
  ValuePtr apply_to_text(const ValuePtr& value, Scope& scope, int depth);
  ValuePtr look_up(std::string_view name, const ValuePtr& place, Scope& scope);
  ValuePtr environment(std::string_view expression, const ValuePtr& place);
  /// What one ${...} stands for; nullptr after a report.
  ValuePtr evaluate(std::string_view expression, const ValuePtr& place, Scope& scope);
  void report_in_text(std::string_view written, const Value& found, const Value& place);
  void report_unknown(std::string_view name, const Value& place, const Scope& scope);

  Diagnostics* diagnostics_;
  std::vector<std::string> node_names_;
  std::vector<std::pair<std::string, const Variable*>> resolving_;  ///< the chain that is being followed
  std::size_t copies_ = 0;
  bool exhausted_ = false;
  bool environment_forbidden_ = false;
  int unknown_ = 0;
};

}  // namespace gramflow
