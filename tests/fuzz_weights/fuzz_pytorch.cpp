// PyTorch: the first byte chooses between a file as it is, and a pickle with storages around it in one of the
// two formats.
#include "tests/fuzz_weights/reading.h"
#include "tests/weights/make_torch.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace gramflow::test;
  if (size < 1) return 0;
  std::string bytes(data + 1, data + size);
  const NamedBytes storages = {{"0", std::string(64, '\1')}, {"1", std::string(64, '\2')}};
  if (data[0] % 3 == 1) bytes = torch_zip(bytes, storages);
  if (data[0] % 3 == 2) bytes = torch_legacy(bytes, storages);
  const FuzzedFile file(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  read_everything(file.path());
  return 0;
}
