// Keras: our use of the HDF5 library, in this process, where sanitizers see it. The library itself is not
// instrumented and has faults of its own, which the child program is for: run with -fork=1 -ignore_crashes=1
// and look for frames of ours.
#include "tests/fuzz_weights/reading.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const gramflow::test::FuzzedFile file(data, size);
  gramflow::test::read_everything(file.path());
  return 0;
}
