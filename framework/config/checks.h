#pragma once
// Checks that every part of a pipeline file needs: names, keys, kinds of values.
#include <string>
#include <vector>

#include "framework/config/value.h"

namespace gramflow {

/// Letters, digits, '_' and '-', not starting with a digit or '-'; parts may be joined with '/'. Reports what
/// it finds otherwise.
bool check_id(const std::string& id, const Span& span, const char* what, Diagnostics& diagnostics);
/// Reports keys of a map that are not among the known ones.
void check_keys(const Value::Map& map, const std::vector<std::string>& known, const std::string& where,
                Diagnostics& diagnostics);
/// Reports a value of a wrong kind with its notes.
Diagnostic& report_type(const Value& value, const std::string& what, const std::string& expected,
                        Diagnostics& diagnostics);
/// What somebody meant who wrote a name that is none; "" when nobody knows.
std::string name_hint(const std::string& name);

}  // namespace gramflow
