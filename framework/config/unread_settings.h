#pragma once
// `--set` arguments that change nothing, because a later one wins or because nothing reads what they set.
#include <set>
#include <string>
#include <vector>

#include "framework/config/document.h"
#include "framework/config/settings.h"

namespace gramflow {

/// Adds the texts ("size=3") of all --set arguments that something in the document comes from.
void add_typed_sources(const Document& document, std::set<std::string>& texts);

/// Warns of every argument that a later one overrides, or whose text is not among `read`.
void report_unread_settings(const std::vector<Setting>& overrides, const std::set<std::string>& read,
                            Diagnostics& diagnostics);

}  // namespace gramflow
