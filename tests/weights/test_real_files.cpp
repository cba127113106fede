// Round trips: what PyTorch and h5py write themselves comes out as the same tensors. Needs Python with numpy,
// torch and h5py (Debian: python3-torch, python3-h5py); without them this says so and tests nothing.
#include <doctest/doctest.h>

#include <cstdlib>

#include "framework/base/error.h"
#include "nodes/import/import_weights.h"
#include "nodes/weights/safetensors.h"
#include "tests/weights/support.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

/// The first Python that can make the files, or none.
bool make_files(const std::string& folder) {
  for (const char* python : {"/usr/bin/python3", "python3"}) {
    const std::string command =
        std::string(python) + " '" GRAMFLOW_SOURCE_DIR "/tests/weights/make_files.py' '" + folder + "'";
    if (std::system((command + " >/dev/null 2>&1").c_str()) == 0) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("files made by PyTorch and h5py import to the very same tensors") {
  const TemporaryFolder folder;
  if (!make_files(folder.path())) {
    MESSAGE("skipped: no Python with numpy, torch and h5py (apt install python3-torch python3-h5py)");
    return;
  }
  const NetworkPaths paths{{folder.path()}, {}, ""};
  const SafetensorsFile reference(folder / "reference.safetensors");
  int imported = 0;
  for (const std::string& name : folder.names()) {
    const bool keras = name.starts_with("keras_");
    if (!keras && !name.starts_with("torch")) continue;
    INFO(name);
    const std::string out = folder / "out.safetensors";
    ImportOptions options;
    options.file = folder / name;
    options.output = out;
    CHECK(import_weights(options, paths).network == (keras ? "narrow-caffe" : "narrow"));
    const SafetensorsFile written(out);
    CHECK(written.tensors().size() == reference.tensors().size());
    for (const auto& [tensor, info] : reference.tensors())
      CHECK(written.read(tensor) == reference.read(tensor));
    ++imported;
  }
  CHECK(imported == 40);

  ImportOptions options;
  options.file = folder / "refused_module.pth";
  options.output = folder / "refused.safetensors";
  const std::string message = message_of<RunError>([&] { import_weights(options, paths); });
  CHECK(contains(message, "holds a whole Python object"));
}
