#include "tests/weights/make_torch.h"

namespace gramflow::test {
namespace {

std::string text(const std::string& value) { return "X" + little(value.size(), 4) + value; }
std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
std::string integer(std::int64_t value) { return "\x8a\x08" + little(static_cast<std::uint64_t>(value), 8); }
std::string tuple(const std::vector<std::int64_t>& values) {
  std::string bytes = "(";
  for (const std::int64_t value : values) bytes += integer(value);
  return bytes + "t";
}

std::uint32_t crc_of(const std::string& bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

}  // namespace

std::string little(std::uint64_t number, int bytes) {
  std::string result;
  for (int i = 0; i < bytes; ++i) result.push_back(static_cast<char>((number >> (8 * i)) & 0xFFU));
  return result;
}

std::string bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

TorchEntry torch_entry(const std::string& name, const std::vector<std::int64_t>& shape,
                       const std::string& storage) {
  TorchEntry entry{name, shape, std::vector<std::int64_t>(shape.size()), storage};
  std::int64_t step = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    entry.strides[i] = step;
    step *= shape[i];
  }
  entry.elements = step;
  return entry;
}

std::string torch_pickle(const std::vector<TorchEntry>& entries) {
  std::string bytes = "\x80\x02" + global("collections", "OrderedDict") + ")R(";
  for (const TorchEntry& entry : entries) {
    const std::string id = "(" + text("storage") + global("torch", entry.type) + text(entry.storage) +
                           text("cpu") + integer(entry.elements) + "tQ";
    bytes += text(entry.name) + global("torch._utils", "_rebuild_tensor_v2") + "(" + id +
             integer(entry.offset) + tuple(entry.shape) + tuple(entry.strides) + "\x89" +
             global("collections", "OrderedDict") + ")RtR";
  }
  return bytes + "u.";
}

std::string calling_pickle(const std::string& module, const std::string& name, const std::string& argument) {
  return "\x80\x02" + global(module, name) + text(argument) + "\x85R.";
}

std::string zip_bytes(const NamedBytes& records) {
  std::string file;
  std::string table;
  for (const auto& [name, data] : records) {
    const std::string common = little(0, 2) + little(0, 2) + little(0, 4) + little(crc_of(data), 4) +
                               little(data.size(), 4) + little(data.size(), 4) + little(name.size(), 2) +
                               little(0, 2);
    table += "PK\x01\x02" + little(0, 2) + little(0, 2) + common + little(0, 2) + little(0, 2) +
             little(0, 2) + little(0, 4) + little(file.size(), 4) + name;
    file += "PK\x03\x04" + little(0, 2) + common + name + data;
  }
  const std::string end = "PK\x05\x06" + little(0, 4) + little(records.size(), 2) +
                          little(records.size(), 2) + little(table.size(), 4) + little(file.size(), 4) +
                          little(0, 2);
  return file + table + end;
}

std::string torch_zip(const std::string& pickle, const NamedBytes& storages) {
  NamedBytes records = {{"archive/data.pkl", pickle}};
  for (const auto& [key, bytes] : storages) records.emplace_back("archive/data/" + key, bytes);
  records.emplace_back("archive/version", "3\n");
  return zip_bytes(records);
}

std::string torch_legacy(const std::string& pickle, const NamedBytes& storages, std::size_t element_bytes) {
  const std::string magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  const std::string protocol = "\x80\x02M" + little(1001, 2) + ".";
  const std::string system = "\x80\x02}(" + text("little_endian") + "\x88u.";
  std::string keys = "\x80\x02](";
  std::string data;
  for (const auto& [key, bytes] : storages) {
    keys += text(key);
    data += little(bytes.size() / element_bytes, 8) + bytes;
  }
  return magic + protocol + system + pickle + keys + "e." + data;
}

}  // namespace gramflow::test
