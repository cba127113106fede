// The stack machine of pickle protocols 0 to 5, as far as state dicts use it. Marks are positions in the
// stack. Sizes are checked before anything is made, so memory is bounded by the file's size. Python's `BUILD`
// (set the state of an object) only makes a note of the state.
#include "nodes/import/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <unordered_map>

namespace gramflow {

class PickleMachine {
 public:
  PickleMachine(Pickle& pickle, std::string_view bytes, std::size_t begin)
      : pickle_(pickle), bytes_(bytes), at_(begin) {}

  void run() {
    while (!step(byte())) {
    }
    pickle_.root_ = pop();
    pickle_.end_ = at_;
  }

 private:
  using Kind = PickleValue::Kind;
  static constexpr std::size_t most_values = 2'000'000;  // a VGG makes about a thousand

  [[noreturn]] void fail(const std::string& what) const {
    throw PickleError(fmt::format("{} (byte {} of the pickle)", what, at_));
  }

  // --- reading
  // -------------------------------------------------------------------------------------------------
  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) fail("the pickle is truncated");
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }
  unsigned char byte() { return static_cast<unsigned char>(take(1)[0]); }
  std::uint64_t little(std::size_t count) {
    std::uint64_t value = 0;
    const std::string_view taken = take(count);
    for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(taken[i]);
    return value;
  }
  std::string_view line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) fail("the pickle is truncated");
    const std::string_view text = take(end - at_);
    ++at_;
    return text;
  }

  // --- the stack
  // -----------------------------------------------------------------------------------------------
  PickleValue& make(Kind kind) {
    if (pickle_.values_.size() >= most_values) fail("the pickle makes more values than any weights file");
    PickleValue& value = pickle_.values_.emplace_back();
    value.kind = kind;
    return value;
  }
  PickleValue& push(Kind kind) {
    PickleValue& value = make(kind);
    stack_.push_back(&value);
    return value;
  }
  void push_text(std::string_view text) { push(Kind::text).text = text; }
  void push_integer(std::int64_t number) { push(Kind::integer).integer = number; }
  PickleValue* pop() {
    if (stack_.empty() || (!marks_.empty() && stack_.size() <= marks_.back()))
      fail("the pickle takes a value that is not there");
    PickleValue* value = stack_.back();
    stack_.pop_back();
    return value;
  }
  PickleValue& top() {
    PickleValue* value = pop();
    stack_.push_back(value);
    return *value;
  }
  std::vector<const PickleValue*> pop_to_mark() {
    if (marks_.empty()) fail("the pickle goes back to a mark that is not there");
    const auto from = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<const PickleValue*> items(from, stack_.end());
    stack_.erase(from, stack_.end());
    marks_.pop_back();
    return items;
  }
  void push_list(std::vector<const PickleValue*> items) { push(Kind::list).items = std::move(items); }
  void push_tuple(std::size_t count) {
    std::vector<const PickleValue*> items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    push_list(std::move(items));
  }

  // --- instructions
  // --------------------------------------------------------------------------------------------
  void append(const std::vector<const PickleValue*>& items) {
    PickleValue& list = top();
    count_links(items.size());
    if (list.kind == Kind::list) list.items.insert(list.items.end(), items.begin(), items.end());
  }
  void set_items(const std::vector<const PickleValue*>& items) {
    PickleValue& map = top();
    if (items.size() % 2 != 0) fail("the pickle sets a key without a value");
    count_links(items.size());
    if (map.kind != Kind::map && map.kind != Kind::call) fail("the pickle puts keys into what is no dict");
    for (std::size_t i = 0; i < items.size(); i += 2) map.entries.emplace_back(items[i], items[i + 1]);
  }
  void count_links(std::size_t count) {
    links_ += count;
    if (links_ > 4 * most_values) fail("the pickle makes more values than any weights file");
  }
  void call() {
    const PickleValue* arguments = pop();
    const PickleValue* function = pop();
    // The old format names a model's class in a persistent id.
    if (function->kind != Kind::global && function->kind != Kind::persistent)
      fail("the pickle calls what is no function");
    PickleValue& value = push(Kind::call);
    value.items = {function};
    if (arguments->kind == Kind::list) {
      count_links(arguments->items.size());
      value.items.insert(value.items.end(), arguments->items.begin(), arguments->items.end());
    }
  }
  void push_global(std::string_view module, std::string_view name) {
    PickleValue& value = push(Kind::global);
    const auto [known, added] = pickle_.globals_.insert(
        std::string(module) + " " + std::string(name));  // a set's texts stay where they are
    value.text = *known;
    static_cast<void>(added);
  }
  void push_long(std::string_view digits) {
    PickleValue& value = push(Kind::integer);
    value.huge = digits.size() > 8;
    std::uint64_t bits =
        !digits.empty() && (static_cast<unsigned char>(digits.back()) & 0x80U) != 0 ? ~0ULL : 0;
    for (std::size_t i = std::min<std::size_t>(digits.size(), 8); i-- > 0;)
      bits = bits << 8 | static_cast<unsigned char>(digits[i]);
    value.integer = static_cast<std::int64_t>(bits);
  }
  void push_big_endian_number() {
    std::uint64_t bits = 0;
    for (const char c : take(8)) bits = bits << 8 | static_cast<unsigned char>(c);
    push(Kind::number).number = std::bit_cast<double>(bits);
  }
  void put(std::uint64_t slot) {
    if (memo_.size() >= most_values) fail("the pickle remembers more values than any weights file");
    memo_[slot] = &top();
  }
  void get(std::uint64_t slot) {
    const auto found = memo_.find(slot);
    if (found == memo_.end()) fail("the pickle asks for a value it never made");
    if (stack_.size() > 4 * most_values) fail("the pickle makes more values than any weights file");
    stack_.push_back(found->second);
  }

  // clang-format off
  /// True at STOP.
  bool step(unsigned char instruction) {
    switch (instruction) {
      case 0x80: byte(); break;                         // PROTO
      case 0x95: take(8); break;                        // FRAME
      case '.': return true;                            // STOP
      case '(': mark(); break;
      case '0': pop(); break;                           // POP
      case '1': pop_to_mark(); break;                   // POP_MARK
      case 'N': push(Kind::none); break;
      case 0x88: push(Kind::boolean).integer = 1; break;
      case 0x89: push(Kind::boolean); break;
      case 'J': push_integer(static_cast<std::int32_t>(little(4))); break;
      case 'K': push_integer(static_cast<std::int64_t>(little(1))); break;
      case 'M': push_integer(static_cast<std::int64_t>(little(2))); break;
      case 0x8a: push_long(take(little(1))); break;
      case 0x8b: push_long(take(little(4))); break;
      case 'G': push_big_endian_number(); break;
      case 'X': case 'T': case 'B': push_text(take(little(4))); break;
      case 0x8c: case 'U': case 'C': push_text(take(little(1))); break;
      case 0x8d: case 0x8e: case 0x96: push_text(take(little(8))); break;
      case ')': case ']': case 0x8f: push(Kind::list); break;
      case '}': push(Kind::map); break;
      case 't': case 'l': push_list(pop_to_mark()); break;
      case 0x91: push_list(pop_to_mark()); break;       // FROZENSET
      case 0x85: push_tuple(1); break;
      case 0x86: push_tuple(2); break;
      case 0x87: push_tuple(3); break;
      case 'd': make_map(); break;
      case 'a': append({pop()}); break;
      case 'e': case 0x90: append(pop_to_mark()); break;
      case 's': { const PickleValue* value = pop(); set_items({pop(), value}); break; }
      case 'u': set_items(pop_to_mark()); break;
      case 'q': put(little(1)); break;
      case 'r': put(little(4)); break;
      case 0x94: put(memo_.size()); break;              // MEMOIZE
      case 'h': get(little(1)); break;
      case 'j': get(little(4)); break;
      case 'c': { const std::string_view module = line(); push_global(module, line()); break; }
      case 0x93: { const PickleValue* name = pop(); push_global(pop()->text, name->text); break; }
      case 'R': case 0x81: call(); break;               // REDUCE, NEWOBJ
      case 0x92: pop(); call(); break;                  // NEWOBJ_EX: keyword arguments make no tensor
      case '2': stack_.push_back(&top()); break;        // DUP
      case 'b': build(); break;
      case 'Q': { const PickleValue* id = pop(); push(Kind::persistent).items = {id}; break; }
      default:
        --at_;
        fail(fmt::format("the pickle has the instruction 0x{:02x}, which no state dict needs", instruction));
    }
    return false;
  }
  // clang-format on

  void build() {
    const PickleValue* state = pop();
    PickleValue& object = top();
    if (object.kind == Kind::call) object.state = state;
  }
  void mark() {
    if (marks_.size() >= most_values) fail("the pickle nests deeper than any weights file");
    marks_.push_back(stack_.size());
  }
  void make_map() {
    const std::vector<const PickleValue*> items = pop_to_mark();
    push(Kind::map);
    set_items(items);
  }

  Pickle& pickle_;
  std::string_view bytes_;
  std::size_t at_;
  std::vector<PickleValue*> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, PickleValue*> memo_;
  std::size_t links_ = 0;
};

Pickle::Pickle(std::string_view bytes, std::size_t begin) {
  if (begin > bytes.size()) throw PickleError("the pickle is not there");
  PickleMachine(*this, bytes, begin).run();
}

}  // namespace gramflow
