#pragma once
// Exceptions that cross module borders. Anything else that escapes is a defect of the program.
#include <stdexcept>
#include <string>
#include <utility>

#include "framework/base/diagnostics.h"

namespace gramflow {

/// A run that could not be finished (disk full, picture unreadable half-way). Exit code 1.
class RunError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Something the machine lacks: weights, a picture, a GPU. Exit code 3.
/// The message names what was looked for, every place looked in, and what to do.
class MissingResource : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A pipeline or command line with mistakes, all of them inside. Exit code 2; 3 or 1 when all of them are files that are
/// missing or unreadable.
class InvalidPipeline : public std::runtime_error {
 public:
  explicit InvalidPipeline(Diagnostics found)
      : std::runtime_error(found.render()), diagnostics_(std::move(found)) {}
  const Diagnostics& diagnostics() const { return diagnostics_; }

 private:
  Diagnostics diagnostics_;
};

/// The run was asked to stop; the last complete result is kept. Exit code 130.
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

}  // namespace gramflow
