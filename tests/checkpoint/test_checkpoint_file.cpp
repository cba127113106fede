// A checkpoint comes back to the bit, or not at all.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>

#include "framework/checkpoint/checkpoint_store.h"
#include "framework/checkpoint/content_checksum.h"
#include "tests/support/temporary_folder.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

CheckpointHead full_head() {
  CheckpointHead head;
  head.program = "gramflow 0.1.0";
  head.instructions = "AVX2";
  head.pipeline = "version: 1\nnodes: {}\n";
  head.sources = {{"picture", "/photos/bob's.jpg", "0123"}, {"weights", "/w.safetensors", ""}};
  head.stage = 2;
  head.finished = {7, 0};
  head.finished_words = {"its loss is 1.5", ""};
  head.loop.loop = 2;
  head.loop.iteration = 41;
  head.loop.stopped = true;
  head.loop.concluded = true;
  head.loop.stop_reason = "converged";
  head.loop.method = {"lbfgs 1", {3, -1, 0}, {0.1, -0.0, std::numeric_limits<double>::denorm_min()}};
  head.loop.evaluation_count = 99;
  head.loop.evaluations = {{98, 1e-300, {1.5, std::nextafter(1.0, 2.0)}}, {99, 2, {}}};
  return head;
}

const std::vector<float> first = {1.0F, -0.0F, std::nextafter(1.0F, 2.0F)}, second = {},
                         third(300'000, 0.25F);

CheckpointHead write_all(CheckpointStore& store, CheckpointHead head = full_head()) {
  head.vectors = {{"carried/a", first.size()}, {"empty", 0}, {"memory/0/canvas", third.size()}};
  const std::vector<std::span<const float>> vectors = {first, second, third};
  store.write(head, vectors);
  return head;
}

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void put(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

TEST_CASE("what was written is read to the bit") {
  const TemporaryFolder folder;
  CheckpointStore store(folder / "run.checkpoint");
  const CheckpointHead head = write_all(store);
  const FoundCheckpoint found = store.find();
  REQUIRE(found.file != nullptr);
  CHECK(found.damaged.empty());
  CHECK(encode_head(found.file->head()) == encode_head(head));
  const std::vector<float> read = found.file->read(found.file->find("carried/a"));
  CHECK(std::memcmp(read.data(), first.data(), sizeof(float) * first.size()) == 0);
  CHECK(found.file->read(found.file->find("memory/0/canvas")) == third);
  CHECK(found.file->find("nobody") == -1);
}

TEST_CASE("every byte that is changed, lost or added is noticed") {
  const TemporaryFolder folder;
  const std::string path = folder / "run.checkpoint";
  CheckpointStore store(path);
  write_all(store);
  const std::string whole = bytes_of(path);
  const auto refused = [&](const std::string& bytes) {
    put(path, bytes);
    const FoundCheckpoint found = CheckpointStore(path).find();
    return found.file == nullptr && found.damaged.size() == 1;
  };
  for (std::size_t at = 0; at < whole.size(); at += at < 700 ? 1 : 9973) {
    CAPTURE(at);
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    REQUIRE(refused(changed));
    REQUIRE(refused(whole.substr(0, at)));
  }
  CHECK(refused(whole + " "));
  CHECK(refused(""));
  CHECK_FALSE(refused(whole));
}

TEST_CASE("a damaged one is told and the one before is taken") {
  const TemporaryFolder folder;
  CheckpointStore store(folder / "run.checkpoint");
  CheckpointHead head = full_head();
  head.loop.iteration = 10;
  write_all(store, head);
  head.loop.iteration = 20;
  write_all(store, head);
  CHECK(store.find().file->head().loop.iteration == 20);
  std::string bytes = bytes_of(store.path());
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] + 1);
  put(store.path(), bytes);
  const FoundCheckpoint found = CheckpointStore(store.path()).find();
  REQUIRE(found.file != nullptr);
  CHECK(found.file->head().loop.iteration == 10);
  REQUIRE(found.damaged.size() == 1);
  CHECK(found.damaged[0].find("do not fit their checksum") != std::string::npos);

  SUBCASE("and a whole one never gives way to it") {
    CheckpointStore later(store.path());
    head.loop.iteration = 30;
    write_all(later, head);
    put(store.path(), "gramflow checkpoint 1\n, cut off");
    CHECK(later.find().file->head().loop.iteration == 10);
  }
}

TEST_CASE("nothing but checkpoints is overwritten or removed") {
  const TemporaryFolder folder;
  put(folder / "mine", "my own work");
  const CheckpointStore store(folder / "mine");
  CHECK(store.in_the_way() == folder / "mine");
  store.remove();
  CHECK(bytes_of(folder / "mine") == "my own work");
  CheckpointStore other(folder / "other");
  CHECK(other.in_the_way().empty());
  write_all(other);
  write_all(other);
  CHECK(other.in_the_way().empty());
  other.remove();
  CHECK(folder.names() == std::vector<std::string>{"mine"});
}

TEST_CASE("a head that nobody can have written is refused, whatever its checksum says") {
  const std::string whole = encode_head(full_head());
  CHECK_NOTHROW(decode_head(whole));
  CHECK_THROWS_AS(decode_head(whole + "x"), DamagedCheckpoint);
  for (std::size_t cut = 0; cut < whole.size(); ++cut)
    CHECK_THROWS_AS(decode_head(whole.substr(0, cut)), DamagedCheckpoint);
  for (std::size_t at = 0; at + 8 <= whole.size(); ++at) {
    std::string changed = whole;
    std::memset(changed.data() + at, 0x7F, 8);  // a huge length or count
    try {
      decode_head(changed);
    } catch (const DamagedCheckpoint&) {
    }
  }
}

TEST_CASE("checksums are those of xxh128sum") {
  const TemporaryFolder folder;
  put(folder / "empty", "");
  CHECK(file_checksum(folder / "empty") == "99aa06d3014798d86001c324468d497f");
  CHECK(file_checksum(folder / "nowhere").empty());
}
