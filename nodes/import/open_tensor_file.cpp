#include "nodes/import/open_tensor_file.h"

#include <algorithm>
#include <cctype>

#include "nodes/import/byte_file.h"
#include "nodes/import/hdf5_file.h"
#include "nodes/import/keras_archive.h"
#include "nodes/import/matlab_file.h"
#include "nodes/import/numpy_source.h"
#include "nodes/import/safetensors_source.h"
#include "nodes/import/torch_file.h"
#include "nodes/import/wire_format.h"
#include "nodes/import/wire_tensor.h"
#include "nodes/import/zip_archive.h"

namespace gramflow {
namespace {

// A legacy file starts with the pickle of a number that its authors chose, of any protocol.
constexpr char legacy_magic[] = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

bool is_torch_legacy(const std::string& head) {
  return head.starts_with("\x80") && head.find(legacy_magic) < 16;
}

constexpr const char* unknown_bytes = "its first bytes are unknown";

std::string guess(const std::string& head) {
  std::string lower = head.substr(0, 64);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (head.empty()) return "it is empty";
  const std::size_t first = lower.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  const std::string start = first == std::string::npos ? "" : lower.substr(first);
  if (lower.find("<!doctype") != std::string::npos || lower.find("<html") != std::string::npos ||
      start.starts_with("<head") || start.starts_with("<body") || start.starts_with("<script"))
    return "it is a web page, perhaps an error message instead of the download";
  if (start.starts_with("<?xml") ||
      (start.starts_with("<") && start.size() > 1 && std::isalpha(static_cast<unsigned char>(start[1]))))
    return "it is an XML text, perhaps an error message instead of the download";
  if (start.starts_with("{") || start.starts_with("[{"))
    return "it is a JSON text, perhaps an error message instead of the download";
  if (head.starts_with("version https://git-lfs"))
    return "it is a Git LFS pointer; the real file was not fetched";
  if (head.starts_with("\x1f\x8b")) return "it is compressed with gzip; unpack it first";
  if (head.starts_with("\x80")) return "it is a Python pickle, but not one of torch.save";
  if (head.size() > 262 && head.compare(257, 5, "ustar") == 0)
    return "it is a tar archive, perhaps PyTorch's oldest format; save it again with a newer PyTorch";
  return unknown_bytes;
}

/// Protocol Buffers have no first bytes to know them by: the whole file must be a message with the right
/// fields.
std::unique_ptr<TensorSource> open_message(std::unique_ptr<ByteFile>& file) {
  const std::vector<WireField> fields = top_fields(*file);
  const auto has = [&](std::uint32_t number, int type) {
    return std::any_of(fields.begin(), fields.end(),
                       [&](const WireField& field) { return field.number == number && field.type == type; });
  };
  if (has(7, 2) && (has(8, 2) || has(1, 0))) return open_onnx(std::move(file));
  if (has(100, 2) || (has(2, 2) && has(1, 2))) return open_caffe(std::move(file));
  return nullptr;
}

std::unique_ptr<TensorSource> open_zip(std::unique_ptr<ByteFile> file, const std::string& scratch) {
  bool keras = false;
  bool numpy = false;
  {
    const ZipArchive archive(*file);
    keras = archive.records().contains("model.weights.h5");
    for (const auto& [name, record] : archive.records()) numpy = numpy || name.ends_with(".npy");
  }
  if (keras) return open_keras_archive(*file, scratch);
  return numpy ? open_npz(std::move(file)) : open_torch_zip(std::move(file));
}

}  // namespace

std::unique_ptr<TensorSource> open_tensor_file(const std::string& path, const std::string& scratch) {
  auto file = std::make_unique<ByteFile>(path);
  const std::string head = file->read(0, std::min<std::uint64_t>(file->size(), 512), "the file's head");
  if (head.starts_with("MATLAB 5.0 MAT-file") || head.starts_with("MATLAB 7.3 MAT-file"))
    return open_matlab(path);
  if (is_hdf5(path)) return open_hdf5(path);
  if (head.starts_with("PK\x03\x04")) return open_zip(std::move(file), scratch);
  if (head.starts_with("\x93NUMPY")) return open_npy(std::move(file));
  if (is_torch_legacy(head)) return open_torch_legacy(std::move(file));
  if (head.size() > 8 && head[8] == '{') return open_safetensors(path);
  if (guess(head) == unknown_bytes)
    if (auto source = open_message(file)) return source;
  file->fail(
      "no weights file: " + guess(head) +
      "; expected a PyTorch state dict (.pth), Keras HDF5 (.h5, .keras), .safetensors, numpy (.npz, .npy), "
      "MATLAB (.mat), ONNX or .caffemodel");
}

}  // namespace gramflow
