#include "framework/checkpoint/checkpoint_head.h"

#include <bit>
#include <cstring>
#include <limits>

namespace gramflow {
namespace {

static_assert(std::endian::native == std::endian::little, "checkpoints are little-endian");

class Writer {
 public:
  void whole(std::int64_t value) { raw(&value, sizeof value); }
  void number(double value) { raw(&value, sizeof value); }
  void text(std::string_view value) {
    whole(static_cast<std::int64_t>(value.size()));
    bytes_ += value;
  }
  template <class Items, class Write>
  void list(const Items& items, Write write) {
    whole(static_cast<std::int64_t>(items.size()));
    for (const auto& item : items) write(item);
  }
  std::string take() { return std::move(bytes_); }

 private:
  void raw(const void* from, std::size_t count) { bytes_.append(static_cast<const char*>(from), count); }
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  std::int64_t whole() { return raw<std::int64_t>(); }
  double number() { return raw<double>(); }
  std::string text() {
    const std::size_t size = length(1);
    std::string value(left_.substr(0, size));
    left_.remove_prefix(size);
    return value;
  }
  /// `smallest`: bytes that an item takes at least, so that a length cannot ask for more than there is.
  template <class Item, class Read>
  std::vector<Item> list(std::size_t smallest, Read read) {
    const std::size_t count = length(smallest);
    std::vector<Item> items;
    items.reserve(count);
    for (std::size_t i = 0; i < count; ++i) items.push_back(read());
    return items;
  }
  std::int64_t whole(std::int64_t low, std::int64_t high) {
    const std::int64_t value = whole();
    if (value < low || value > high) throw DamagedCheckpoint("a number in it is out of its range");
    return value;
  }
  void finish() const {
    if (!left_.empty()) throw DamagedCheckpoint("there is more in it than it says");
  }

 private:
  template <class Number>
  Number raw() {
    if (left_.size() < sizeof(Number)) throw DamagedCheckpoint("it ends in the middle");
    Number value;
    std::memcpy(&value, left_.data(), sizeof value);
    left_.remove_prefix(sizeof value);
    return value;
  }
  std::size_t length(std::size_t smallest) {
    const std::int64_t count = whole();
    if (count < 0 || static_cast<std::uint64_t>(count) > left_.size() / smallest)
      throw DamagedCheckpoint("a length in it is larger than the file");
    return static_cast<std::size_t>(count);
  }
  std::string_view left_;
};

constexpr std::int64_t any_count = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t any_int = std::numeric_limits<int>::max();

void write_loop(Writer& to, const LoopState& loop) {
  to.whole(loop.loop);
  to.whole(loop.iteration);
  to.whole(loop.steps);
  to.number(loop.start);
  to.number(loop.clipped_at_start);
  to.whole(loop.stopped ? 1 : 0);
  to.whole(loop.concluded ? 1 : 0);
  to.text(loop.stop_reason);
  to.text(loop.method.layout);
  to.list(loop.method.counts, [&](std::int64_t count) { to.whole(count); });
  to.list(loop.method.numbers, [&](double number) { to.number(number); });
  to.whole(loop.evaluation_count);
  to.list(loop.evaluations, [&](const KeptEvaluation& evaluation) {
    to.whole(evaluation.index);
    to.number(evaluation.gradient_norm);
    to.list(evaluation.scalars, [&](double scalar) { to.number(scalar); });
  });
}

LoopState read_loop(Reader& from) {
  LoopState loop;
  loop.loop = static_cast<int>(from.whole(-1, any_int));
  loop.iteration = from.whole(0, any_count);
  loop.steps = from.whole(0, any_count);
  loop.start = from.number();
  loop.clipped_at_start = from.number();
  loop.stopped = from.whole(0, 1) == 1;
  loop.concluded = from.whole(0, 1) == 1;
  loop.stop_reason = from.text();
  loop.method.layout = from.text();
  loop.method.counts = from.list<std::int64_t>(8, [&] { return from.whole(); });
  loop.method.numbers = from.list<double>(8, [&] { return from.number(); });
  loop.evaluation_count = from.whole(0, any_count);
  loop.evaluations = from.list<KeptEvaluation>(24, [&] {
    KeptEvaluation evaluation;
    evaluation.index = from.whole(0, any_count);
    evaluation.gradient_norm = from.number();
    evaluation.scalars = from.list<double>(8, [&] { return from.number(); });
    return evaluation;
  });
  return loop;
}

}  // namespace

std::string encode_head(const CheckpointHead& head) {
  Writer to;
  to.text(head.program);
  to.text(head.instructions);
  to.text(head.pipeline);
  to.list(head.sources, [&](const CheckpointSource& source) {
    to.text(source.what);
    to.text(source.path);
    to.text(source.checksum);
  });
  to.whole(head.stage);
  to.list(head.finished, [&](std::int64_t iterations) { to.whole(iterations); });
  to.list(head.finished_words, [&](const std::string& words) { to.text(words); });
  write_loop(to, head.loop);
  to.list(head.vectors, [&](const CheckpointVector& vector) {
    to.text(vector.name);
    to.whole(static_cast<std::int64_t>(vector.floats));
  });
  return to.take();
}

CheckpointHead decode_head(std::string_view bytes) {
  Reader from(bytes);
  CheckpointHead head;
  head.program = from.text();
  head.instructions = from.text();
  head.pipeline = from.text();
  head.sources = from.list<CheckpointSource>(24, [&] {
    CheckpointSource source;
    source.what = from.text();
    source.path = from.text();
    source.checksum = from.text();
    return source;
  });
  head.stage = static_cast<int>(from.whole(0, any_int));
  head.finished = from.list<std::int64_t>(8, [&] { return from.whole(0, any_count); });
  head.finished_words = from.list<std::string>(8, [&] { return from.text(); });
  head.loop = read_loop(from);
  head.vectors = from.list<CheckpointVector>(16, [&] {
    CheckpointVector vector;
    vector.name = from.text();
    vector.floats = static_cast<std::uint64_t>(from.whole(0, any_count));
    return vector;
  });
  from.finish();
  return head;
}

}  // namespace gramflow
