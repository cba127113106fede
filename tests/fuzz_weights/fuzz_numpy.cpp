// numpy: the first byte chooses between a file as it is, an array of objects with this pickle, and an archive
// of one record with the rest.
#include "tests/fuzz_weights/reading.h"
#include "tests/weights/make_torch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gramflow::test;
  if (size < 1) return 0;
  std::string bytes(data + 1, data + size);
  const std::string header = "{'descr': '|O', 'fortran_order': False, 'shape': (), }\n";
  if (data[0] % 3 == 1)
    bytes = "\x93NUMPY" + std::string("\1\0", 2) + little(header.size(), 2) + header + bytes;
  if (data[0] % 3 == 2) bytes = zip_bytes({{"conv1_1.weight.npy", bytes}});
  const FuzzedFile file(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  read_everything(file.path());
  return 0;
}
