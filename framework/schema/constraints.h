#pragma once
// What a declared parameter demands beyond its type.
#include <string>
#include <vector>

namespace gramflow {

struct Constraint {
  enum class Kind { at_least, more_than, at_most, less_than, required, not_empty, reads_file, writes_file };
  Kind kind;
  double limit = 0;
};

inline Constraint at_least(double limit) { return {Constraint::Kind::at_least, limit}; }
inline Constraint more_than(double limit) { return {Constraint::Kind::more_than, limit}; }
inline Constraint at_most(double limit) { return {Constraint::Kind::at_most, limit}; }
inline Constraint less_than(double limit) { return {Constraint::Kind::less_than, limit}; }
/// The parameter has no default.
inline Constraint required() { return {Constraint::Kind::required}; }
/// A text or list must hold something.
inline Constraint not_empty() { return {Constraint::Kind::not_empty}; }

/// The text names a file that is read, or written: ~, URLs, - and unprintable names are refused.
inline Constraint reads_file() { return {Constraint::Kind::reads_file}; }
inline Constraint writes_file() { return {Constraint::Kind::writes_file}; }

bool holds(const std::vector<Constraint>& constraints, double value);
/// ">= 0, < 1"; "" without limits.
std::string range_text(const std::vector<Constraint>& constraints);
bool demands(const std::vector<Constraint>& constraints, Constraint::Kind kind);

}  // namespace gramflow
