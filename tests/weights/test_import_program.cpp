// `gramflow weights import`, then `gramflow run`, as people call them: whatever the weights come in, the
// features are the same to the bit; and whatever goes wrong with the file or with the program that reads it
// is a sentence and an exit status, with nothing half-written left behind.
#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>

#include "tests/support/program.h"
#include "tests/weights/make_other.h"
#include "tests/weights/make_torch.h"

using namespace gramflow;
using namespace gramflow::test;
namespace fs = std::filesystem;

namespace {

constexpr const char* pipeline =
    "version: 1\n"
    "nodes:\n"
    "  n: {type: Noise, size: [20, 12], seed: 3}\n"
    "  m: {type: Noise, size: [20, 12], seed: 4}\n"
    "  start: {type: Preprocess, image: n, network: mine.yaml}\n"
    "  other: {type: Preprocess, image: m, network: mine.yaml}\n"
    "  t: {type: VGGExtract, input: other, network: mine.yaml}\n"
    "  f: {type: VGGExtract, input: r.canvas, network: mine.yaml}\n"
    "  content: {type: ContentLoss, features: f, target: t, layers: [relu2_1]}\n"
    "  r: {type: Optimizer, start: start, loss: [content], iterations: 3}\n"
    "  p: {type: Postprocess, input: r, network: mine.yaml}\n"
    "  s: {type: Save, image: p, path: out.png}\n";

/// A folder with a network, and its weights in the file "in".
class Place {
 public:
  Place() {
    MadeFile drawn;
    drawn.add("conv1_1.weight", {4, 3, 3, 3});
    drawn.add("conv1_1.bias", {4});
    drawn.add("conv2_1.weight", {5, 4, 3, 3});
    drawn.add("conv2_1.bias", {5});
    tensors_ = drawn.tensors();
    made.put_network(
        "  - {conv: conv1_1, in: 3, out: 4}\n  - {pool: pool1, kind: max}\n  - {conv: conv2_1, in: 4, out: "
        "5}\n");
    put_bytes(made.folder / "pipeline.yaml", pipeline);
  }

  ProgramResult run(const std::string& arguments) const {
    return run_gramflow(made.folder.path(), arguments);
  }
  ProgramResult import(const std::string& more = "") const {
    return run("weights import in --network mine.yaml --convention network -o mine.safetensors " + more);
  }

  /// Under these names, kernels in the order HWIO or as drawn.
  void add(const std::vector<std::string>& names, bool hwio = false) {
    for (std::size_t i = 0; i < 4; ++i) {
      MadeTensor tensor = tensors_[i];
      tensor.name = names[i];
      if (hwio && tensor.shape.size() == 4) {
        tensor.values = reordered(tensor.values, tensor.shape[0], tensor.shape[1], 3, "hwio", false);
        tensor.shape = {3, 3, tensor.shape[1], tensor.shape[0]};
      }
      made.tensors().push_back(tensor);
    }
  }
  std::vector<MadeLayer> layers() const {
    return {{"Convolution", "conv1_1", {tensors_[0], tensors_[1]}},
            {"ReLU", "relu1_1", {}},
            {"Pooling", "pool1", {}},
            {"Convolution", "conv2_1", {tensors_[2], tensors_[3]}},
            {"ReLU", "relu2_1", {}}};
  }

  MadeFile made;

 private:
  std::vector<MadeTensor> tensors_;
};

struct Way {
  const char* name;
  std::function<void(Place&)> save;
};

const std::vector<Way>& ways() {
  static const std::vector<std::string> plain = {"conv1_1.weight", "conv1_1.bias", "conv2_1.weight",
                                                 "conv2_1.bias"};
  static const std::vector<std::string> listed = {"features.0.weight", "features.0.bias", "features.3.weight",
                                                  "features.3.bias"};
  static const std::vector<std::string> keras = {"block1_conv1/kernel:0", "block1_conv1/bias:0",
                                                 "block2_conv1/kernel:0", "block2_conv1/bias:0"};
  static const std::vector<std::string> pairs = {"conv1_1.0", "conv1_1.1", "conv2_1.0", "conv2_1.1"};
  static const std::vector<Way> all = {
      {"PyTorch",
       [](Place& place) {
         place.add(listed);
         place.made.put_torch();
       }},
      {"safetensors",
       [](Place& place) {
         place.add(plain);
         place.made.put_safetensors();
       }},
      {"Keras",
       [](Place& place) {
         place.add(keras, true);
         place.made.put_hdf5();
       }},
      {"Keras behind a user block",
       [](Place& place) {
         place.add(keras, true);
         place.made.put_hdf5({}, 512);
       }},
      {"Keras 3's archive",
       [](Place& place) {
         place.add(keras, true);
         place.made.put_hdf5();
         put_bytes(place.made.file,
                   zip_bytes({{"config.json", "{}"}, {"model.weights.h5", get_bytes(place.made.file)}}));
       }},
      {"numpy's archive",
       [](Place& place) {
         place.add(plain);
         put_bytes(place.made.file, npz_bytes(place.made.tensors()));
       }},
      {"numpy's dictionary",
       [](Place& place) {
         place.add(pairs, true);
         put_bytes(place.made.file, npy_dictionary(place.made.tensors()));
       }},
      {"Caffe", [](Place& place) { put_bytes(place.made.file, caffe_bytes(place.layers(), false)); }},
      {"Caffe of before 2014",
       [](Place& place) { put_bytes(place.made.file, caffe_bytes(place.layers(), true)); }},
      {"ONNX", [](Place& place) { put_bytes(place.made.file, onnx_bytes(place.layers())); }},
      {"MATLAB", [](Place& place) { put_matlab(place.made.file, place.layers(), {}, false); }}};
  return all;
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t at = text.find(begin);
  return at == std::string::npos ? "" : text.substr(at, text.find(end, at) - at);
}

/// The program in a folder of its own, with what stands beside it.
class Installed {
 public:
  Installed() {
    const fs::path built = fs::read_symlink("/proc/self/exe").parent_path();
    for (const char* part : {"gramflow", "gramflow-decoder", "gramflow-weights.so"})
      fs::copy_file(built / part, folder / part);
  }
  void remove(const std::string& part) const { fs::remove(folder / part); }
  /// A decoder that greets and then does this (a line of shell).
  void put_decoder(const std::string& lines) const {
    put_bytes(folder / "gramflow-decoder", "#!/bin/sh\nprintf 'gramflow-decoder 2' >&3; " + lines + "\n");
    ::chmod((folder / "gramflow-decoder").c_str(), 0700);
  }
  ProgramResult import(const Place& place) const {
    return run_program(folder / "gramflow", place.made.folder.path(),
                       "weights import in --network mine.yaml --convention network -o mine.safetensors");
  }

  TemporaryFolder folder;
};

}  // namespace

TEST_CASE("whatever the weights come in, the features are the same to the bit") {
  std::string tensors;
  std::string losses;
  std::string picture;
  for (const Way& way : ways()) {
    INFO(way.name);
    Place place;
    way.save(place);
    const ProgramResult imported = place.import();
    INFO(imported.err);
    REQUIRE(imported.code == 0);
    CHECK(contains(imported.out, "network     mine (as you said)"));
    const ProgramResult ran = place.run("run pipeline.yaml --log log.jsonl");
    INFO(ran.err);
    REQUIRE(ran.code == 0);
    // Behind the header, which names the source.
    const std::string bytes = get_bytes(place.made.folder / "mine.safetensors");
    const std::string numbers = bytes.substr(bytes.size() - 4 * (4 * 27 + 4 + 5 * 36 + 5));
    const std::string log = between(get_bytes(place.made.folder / "log.jsonl"), "\"total\":", "\"layers\"");
    const std::string png = get_bytes(place.made.folder / "out.png");
    if (tensors.empty()) {
      tensors = numbers;
      losses = log;
      picture = png;
    }
    CHECK(numbers == tensors);
    CHECK(log == losses);
    CHECK(log.size() > 20);
    CHECK(png.size() == picture.size());
    for (const std::string& name : place.made.folder.names()) CHECK_FALSE(contains(name, ".part"));
  }
}

TEST_CASE("a file cut anywhere is refused, and what was there before stays") {
  for (const Way& way : ways()) {
    INFO(way.name);
    Place place;
    way.save(place);
    const std::string whole = get_bytes(place.made.file);
    put_bytes(place.made.folder / "mine.safetensors", "mine");
    for (const std::size_t part : {0, 1, 3}) {
      put_bytes(place.made.file, whole.substr(0, whole.size() * part / 4));
      const ProgramResult result = place.import();
      INFO(part << " quarters: " << result.err);
      CHECK(result.code == 1);
      CHECK(contains(result.err, "gramflow: in: "));
      CHECK(result.out.empty());
      CHECK(get_bytes(place.made.folder / "mine.safetensors") == "mine");
    }
    CHECK(place.made.folder.names() ==
          std::vector<std::string>{"in", "mine.safetensors", "mine.yaml", "pipeline.yaml"});
  }
}

TEST_CASE(
    "exit statuses: 1 for a file that is refused, 2 for a network with mistakes, 3 for a program that is "
    "missing") {
  Place place;
  ways()[0].save(place);
  CHECK(place.run("weights import none --network mine.yaml -o x.safetensors").code == 1);
  CHECK(place.run("weights import in --network nine.yaml -o x.safetensors").code == 2);
  for (const char* part : {"gramflow-decoder", "gramflow-weights.so"}) {
    const Installed installed;
    CHECK(installed.import(place).code == 0);
    installed.remove(part);
    const ProgramResult result = installed.import(place);
    CHECK(result.code == 3);
    CHECK(contains(result.err, std::string("put the build's ") + part + " into one of these folders"));
  }
}

TEST_CASE("a reader that dies, says nonsense or is of another version is told") {
  Place place;
  ways()[0].save(place);
  const auto told = [&](const std::string& lines, int code) {
    const Installed installed;
    installed.put_decoder(lines);
    const ProgramResult result = installed.import(place);
    CHECK(result.code == code);
    CHECK(get_bytes(place.made.folder / "mine.safetensors").empty());
    return result.err;
  };
  CHECK(contains(told("head -c 1 <&3 >/dev/null; kill -SEGV $$", 1),
                 "in: the file ended the program that reads it (Segmentation fault)"));
  CHECK(contains(told("head -c 1 <&3 >/dev/null; exit 4", 1), "(it wants too much memory)"));
  CHECK(contains(told("head -c 1 <&3 >/dev/null; printf nonsense >&3; sleep 5", 1),
                 "what it answered makes no sense"));
  const Installed installed;
  put_bytes(installed.folder / "gramflow-decoder", "#!/bin/sh\nprintf 'gramflow-decoder 1' >&3; sleep 5\n");
  const ProgramResult old = installed.import(place);
  CHECK(old.code == 3);
  CHECK(contains(old.err, "it is of another version"));
}
