#pragma once
// What every fuzzer of weight files does with its bytes.
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>

#include "framework/base/error.h"
#include "nodes/import/open_tensor_file.h"

namespace gramflow::test {

/// A file in memory: the readers want a path.
class FuzzedFile {
 public:
  FuzzedFile(const std::uint8_t* data, std::size_t size);
  ~FuzzedFile();
  FuzzedFile(const FuzzedFile&) = delete;
  FuzzedFile& operator=(const FuzzedFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int descriptor_;
};

/// Asks for everything that a source knows; a RunError is a good answer.
void read_tensors(const TensorSource& source);
/// Opens and reads everything; a RunError is a good answer.
void read_everything(const std::string& path);

}  // namespace gramflow::test
