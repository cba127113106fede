// MATLAB: our use of libmatio, in this process, where sanitizers see it. The library itself is not
// instrumented and has faults of its own, which the child program is for: run with -fork=1 -ignore_crashes=1
// and look for frames of ours.
#include "nodes/import/matlab_file.h"
#include "tests/fuzz_weights/reading.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gramflow;
  const test::FuzzedFile file(data, size);
  try {
    test::read_tensors(*open_matlab(file.path()));
  } catch (const RunError&) {
  }
  return 0;
}
