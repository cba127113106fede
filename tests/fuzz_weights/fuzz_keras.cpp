// Keras: as the program does it, the HDF5 library in a child process. What crashes there is an error message,
// as it should be; a finding is what crashes, leaks or hangs here.
#include "tests/fuzz_weights/reading.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const gramflow::test::FuzzedFile file(data, size);
  gramflow::test::read_everything(file.path());
  return 0;
}
