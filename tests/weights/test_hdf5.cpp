// Keras's files through the HDF5 library, and what happens when a file wants more than to be read.
#include <doctest/doctest.h>

#include <filesystem>
#include <numeric>

#include "framework/base/error.h"
#include "nodes/import/tensor_source.h"
#include "tests/weights/make_hdf5.h"
#include "tests/weights/make_torch.h"
#include "tests/weights/support.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

std::vector<float> counted(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

std::string message_for(const std::string& file) {
  return message_of<RunError>([&] { open_tensor_source(file)->read({0}); });
}

}  // namespace

TEST_CASE("datasets are listed with their paths and read") {
  const TemporaryFolder folder;
  put_keras(folder / "w.h5",
            {{"block1_conv1/kernel:0", {2, 3}, counted(6)}, {"block1_conv1/bias:0", {2}, {7, 8}}});
  const auto source = open_tensor_source(folder / "w.h5");
  CHECK(source->format() == SourceFormat::keras);
  REQUIRE(source->tensors().size() == 2);
  CHECK(source->tensors()[1].name == "block1_conv1/kernel:0");
  CHECK(source->tensors()[1].shape == std::vector<std::int64_t>{2, 3});
  CHECK(source->read({1, 0}) == std::vector<std::vector<float>>{counted(6), {7, 8}});
}

TEST_CASE("half precision and packed datasets are read, too") {
  const TemporaryFolder folder;
  put_keras_packed(folder / "w.h5", {{"w", {4, 4}, counted(16)}});
  const auto source = open_tensor_source(folder / "w.h5");
  CHECK(source->tensors()[0].type == "F16");
  CHECK(source->read({0})[0] == counted(16));
}

TEST_CASE("absurd dimensions take no memory and no time") {
  const TemporaryFolder folder;
  put_keras_absurd(folder / "w.h5", "w", {1LL << 20, 1LL << 20, 1LL << 10});
  CHECK(contains(message_for(folder / "w.h5"), "'w' is larger than any of a VGG's"));
  put_keras_absurd(folder / "x.h5", "w", {1LL << 27});
  CHECK(contains(message_for(folder / "x.h5"), "dataset 'w' has more numbers than the file holds"));
}

TEST_CASE("no other file is read because a file says so") {
  const TemporaryFolder folder;
  put_bytes(folder / "secret", std::string(64, 'x'));
  put_keras_external(folder / "w.h5", "w", 16, folder / "secret");
  CHECK(contains(message_for(folder / "w.h5"), "dataset 'w' keeps its numbers in another file"));
  put_keras(folder / "other.h5", {{"w", {1}, {1}}});
  put_keras_link(folder / "x.h5", "block1_conv1", folder / "other.h5");
  CHECK(contains(message_for(folder / "x.h5"), "'block1_conv1' is a link to another file"));
}

TEST_CASE("a group that holds itself ends") {
  const TemporaryFolder folder;
  put_keras_loop(folder / "w.h5");
  CHECK(open_tensor_source(folder / "w.h5")->tensors().empty());
}

TEST_CASE("damaged files give a message, whatever the library does with them") {
  const TemporaryFolder folder;
  put_keras(folder / "w.h5", {{"block1_conv1/kernel:0", {8, 8}, counted(64)}});
  const std::string whole = get_bytes(folder / "w.h5");
  put_bytes(folder / "x.h5", whole.substr(0, 8) + std::string(400, '\xFF'));
  CHECK(contains(message_for(folder / "x.h5"), "is damaged"));
  put_bytes(folder / "x.h5", whole.substr(0, whole.size() / 2));
  CHECK(contains(message_for(folder / "x.h5"), "is damaged"));
  for (std::size_t at = 8; at < whole.size(); at += 37) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x5A);
    put_bytes(folder / "x.h5", changed);
    const std::string message =
        message_for(folder / "x.h5");  // a change in the numbers themselves is none to HDF5
    INFO(at);
    CHECK((message.empty() || message.starts_with(folder / "x.h5")));
  }
}
