// ONNX and Caffe: the first byte chooses which of the two reads the rest.
#include "nodes/import/wire_tensor.h"
#include "tests/fuzz_weights/reading.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gramflow;
  if (size < 1) return 0;
  const test::FuzzedFile file(data + 1, size - 1);
  try {
    auto opened = std::make_unique<ByteFile>(file.path());
    test::read_tensors(*(data[0] % 2 == 0 ? open_onnx(std::move(opened)) : open_caffe(std::move(opened))));
  } catch (const RunError&) {
  }
  return 0;
}
