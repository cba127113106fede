#include <algorithm>

#include "nodes/features/import/byte_file.h"
#include "nodes/features/import/hdf5_file.h"
#include "nodes/features/import/safetensors_source.h"
#include "nodes/features/import/tensor_source.h"
#include "nodes/features/import/torch_file.h"

namespace gramflow {
namespace {

// A legacy file starts with the pickle of a number that its authors chose, of any protocol.
constexpr char legacy_magic[] = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

bool is_torch_legacy(const std::string& head) {
  return head.starts_with("\x80") && head.find(legacy_magic) < 16;
}

std::string guess(const std::string& head) {
  std::string lower = head.substr(0, 64);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (head.empty()) return "it is empty";
  if (lower.find("<!doctype") != std::string::npos || lower.find("<html") != std::string::npos)
    return "it is a web page, perhaps an error message instead of the download";
  if (head.starts_with("version https://git-lfs"))
    return "it is a Git LFS pointer; the real file was not fetched";
  if (head.starts_with("\x1f\x8b")) return "it is compressed with gzip; unpack it first";
  if (head.starts_with("\x80")) return "it is a Python pickle, but not one of torch.save";
  if (head.size() > 262 && head.compare(257, 5, "ustar") == 0)
    return "it is a tar archive, perhaps PyTorch's oldest format; save it again with a newer PyTorch";
  return "its first bytes are unknown";
}

}  // namespace

std::unique_ptr<TensorSource> open_tensor_source(const std::string& path) {
  auto file = std::make_unique<ByteFile>(path);
  const std::string head = file->read(0, std::min<std::uint64_t>(file->size(), 512), "the file's head");
  if (is_hdf5(path)) return open_hdf5(path);
  if (head.starts_with("PK\x03\x04")) return open_torch_zip(std::move(file));
  if (is_torch_legacy(head)) return open_torch_legacy(std::move(file));
  if (head.size() > 8 && head[8] == '{') return open_safetensors(path);
  file->fail("no weights file: " + guess(head) +
             "; expected Keras HDF5 (.h5), a PyTorch state dict (.pth) or .safetensors");
}

}  // namespace gramflow
