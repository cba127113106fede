#pragma once
// Files as torch.save writes them, made by hand so that any part of them can be wrong.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gramflow::test {

struct TorchEntry {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
  std::string storage;        ///< key
  std::int64_t offset = 0;    ///< in elements
  std::int64_t elements = 0;  ///< of the storage
  std::string type = "FloatStorage";
};

/// Contiguous, in a storage of its own.
TorchEntry torch_entry(const std::string& name, const std::vector<std::int64_t>& shape,
                       const std::string& storage);

/// The pickle of a state dict.
std::string torch_pickle(const std::vector<TorchEntry>& entries);
/// A pickle that calls MODULE.NAME("argument") when Python loads it.
std::string calling_pickle(const std::string& module, const std::string& name, const std::string& argument);

using NamedBytes = std::vector<std::pair<std::string, std::string>>;
/// An uncompressed ZIP archive.
std::string zip_bytes(const NamedBytes& records);
/// A ZIP-format PyTorch file: data.pkl and data/KEY.
std::string torch_zip(const std::string& pickle, const NamedBytes& storages);
/// A legacy PyTorch file; storages in this order.
std::string torch_legacy(const std::string& pickle, const NamedBytes& storages,
                         std::size_t element_bytes = 4);

std::string bytes_of(const std::vector<float>& values);
std::string little(std::uint64_t number, int bytes);

}  // namespace gramflow::test
