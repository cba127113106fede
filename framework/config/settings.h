#pragma once
// Values given from outside of the nodes: --set on a command line, and the `set:` of a schedule's stage.
#include <optional>
#include <string>
#include <vector>

#include "framework/config/document.h"
#include "framework/config/value.h"

namespace gramflow {

/// One `key: value`. The key names a variable, or a parameter of a node: nodes.ID.PARAMETER,
/// nodes.ID.PARAMETER.PART.
struct Setting {
  std::string variable;  ///< "" for a parameter
  std::string node;
  std::vector<std::string> path;  ///< of a parameter: its name, then keys inside of its value
  Span key_span;
  ValuePtr value;  ///< null after a report
};

/// Reads a key. Reports one that is neither, and nothing is returned.
std::optional<Setting> read_setting(const std::string& key, Span key_span, ValuePtr value,
                                    Diagnostics& diagnostics);

/// Reads `--set key=value` arguments; each is a SourceFile of its own, so that messages can point into it.
/// `pipeline` is the name of the main file.
std::vector<Setting> read_overrides(const std::vector<Override>& overrides, const std::string& pipeline,
                                    Diagnostics& diagnostics);

/// Puts a value into entries at the setting's path; maps on the way are made where there are none.
void put_value(std::vector<Entry>& entries, const Setting& setting, const ValuePtr& value,
               Diagnostics& diagnostics);

}  // namespace gramflow
