#pragma once
// Reading Python's pickles without running anything. A pickle is a program for a small stack machine; two of
// its instructions name Python functions and call them, which is how a hostile file runs commands. Here they
// only make a note of the name and the arguments: whoever reads the result knows the few names that make
// tensors, and refuses all others.
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gramflow {

/// What is wrong with a pickle; the caller knows the file's name.
class PickleError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One Python value. Values refer to each other and may form cycles; all belong to their Pickle.
struct PickleValue {
  enum class Kind {
    none,
    boolean,
    integer,
    number,
    text,  ///< also bytes
    list,  ///< also tuples and sets
    map,
    global,      ///< text: "module name", as in "collections OrderedDict"
    call,        ///< items: the global, then its arguments
    persistent,  ///< items[0]: what persistent_load would be given
  };
  Kind kind = Kind::none;
  bool huge = false;         ///< an integer that 64 bits cannot hold; `integer` means nothing
  std::int64_t integer = 0;  ///< of booleans, too
  double number = 0;
  std::string_view text;                  ///< looks into the pickle's bytes, or into what the Pickle keeps
  std::vector<const PickleValue*> items;  ///< list, call, persistent
  std::vector<std::pair<const PickleValue*, const PickleValue*>>
      entries;                         ///< map; a call's when it was filled like a map
  const PickleValue* state = nullptr;  ///< of a call: what BUILD would set

  bool is_global(std::string_view name) const { return kind == Kind::global && text == name; }
  /// A call of this global.
  bool is_call(std::string_view name) const { return kind == Kind::call && items[0]->is_global(name); }
};

/// Holds the values of one pickle, whose bytes must outlive it.
class Pickle {
 public:
  /// Runs the program that starts at `begin` of `bytes` up to its STOP. Throws PickleError for an unknown
  /// instruction, a stack that does not fit, or a program of absurd size.
  Pickle(std::string_view bytes, std::size_t begin);
  const PickleValue& root() const { return *root_; }
  /// Every Python name that the pickle mentions, used or not.
  const std::set<std::string>& globals() const { return globals_; }
  /// Offset just behind the STOP.
  std::size_t end() const { return end_; }

 private:
  friend class PickleMachine;
  std::deque<PickleValue> values_;
  std::set<std::string> globals_;
  const PickleValue* root_ = nullptr;
  std::size_t end_ = 0;
};

}  // namespace gramflow
