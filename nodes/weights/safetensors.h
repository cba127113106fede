#pragma once
// The safetensors format: eight bytes of header length, a JSON header of names, types, shapes and offsets,
// then the numbers. https://github.com/huggingface/safetensors#format
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gramflow {

class ReplacedFile;

/// `other` stands for types that are never read (whole numbers, 8-bit floats): such tensors may lie
/// in a file, and only reading them is an error.
enum class StoredType { f32, f16, bf16, f64, other };

/// One tensor in a file.
struct SafetensorsInfo {
  StoredType type = StoredType::f32;
  std::string type_name;  ///< as the file says: "F32"
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  ///< byte offsets in the file
  std::uint64_t end = 0;
  std::int64_t elements() const;
};

/// A checked header. Opening reads the header only; the file is opened again for each read(), so the object
/// holds no handle. Every function throws RunError, the path in front, with its own message for each way a
/// file can be damaged: too short for a header, a header longer than the file or than 4 MiB, no JSON, an
/// unknown type, a shape that does not match its bytes, offsets that are negative, outside of the file,
/// overlapping or leave holes, a name twice, bytes that belong to nothing.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::string& path);
  const std::string& path() const { return path_; }
  const std::map<std::string, SafetensorsInfo>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// As float whatever the stored type. Throws also when the tensor is not there, is of a type that is not
  /// read, or holds a NaN or an infinity.
  std::vector<float> read(const std::string& name) const;

 private:
  std::string path_;
  std::map<std::string, SafetensorsInfo> tensors_;
  std::map<std::string, std::string> metadata_;
};

struct SafetensorsShape {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// Writes beside and renames, one tensor at a time, so that no more than one need be in memory.
class SafetensorsWriter {
 public:
  /// `type` (f32 or f16) is what the numbers are stored as. Writes the header. Throws RunError.
  SafetensorsWriter(const std::string& path, std::vector<SafetensorsShape> tensors,
                    const std::map<std::string, std::string>& metadata, StoredType type = StoredType::f32);
  ~SafetensorsWriter();
  SafetensorsWriter(const SafetensorsWriter&) = delete;
  SafetensorsWriter& operator=(const SafetensorsWriter&) = delete;
  /// The next tensor's numbers, as many as its shape says. Throws RunError, also for a number that half
  /// precision cannot hold.
  void write(const std::vector<float>& values);
  /// After the last: the file appears. Without it there is none.
  void commit();

 private:
  std::string path_;
  std::vector<SafetensorsShape> tensors_;
  StoredType type_;
  std::size_t next_ = 0;
  std::unique_ptr<ReplacedFile> file_;
};

struct SafetensorsEntry {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

/// Writes beside and renames. `type` (f32 or f16) is what the numbers are stored as. Throws RunError, also
/// for a number that half precision cannot hold.
void write_safetensors(const std::string& path, const std::vector<SafetensorsEntry>& entries,
                       const std::map<std::string, std::string>& metadata, StoredType type = StoredType::f32);

}  // namespace gramflow
