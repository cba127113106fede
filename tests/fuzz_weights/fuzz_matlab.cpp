// MATLAB: as the program does it, libmatio in a child process. What crashes there is an error message, as it
// should be; a finding is what crashes, leaks or hangs here.
#include "nodes/features/import/matlab_file.h"
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
