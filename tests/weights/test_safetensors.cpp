// Every way a safetensors file can be wrong has a message of its own; a right one gives its numbers.
#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <limits>

#include "framework/base/error.h"
#include "nodes/weights/safetensors.h"
#include "tests/weights/support.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

/// The message for a file with this header and data.
std::string refused(const std::string& header, std::size_t data_bytes = 0) {
  const TemporaryFolder folder;
  put_safetensors(folder / "w.safetensors", header, data_bytes);
  const std::string message = message_of<RunError>([&] { SafetensorsFile file(folder / "w.safetensors"); });
  CHECK(message.starts_with(folder / "w.safetensors"));
  return message;
}

std::string refused_bytes(const std::string& bytes) {
  const TemporaryFolder folder;
  put_bytes(folder / "w.safetensors", bytes);
  return message_of<RunError>([&] { SafetensorsFile file(folder / "w.safetensors"); });
}

std::string tensor(const std::string& name, const std::string& shape, const std::string& offsets,
                   const std::string& type = "F32") {
  return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets +
         "}";
}

std::string header(const std::string& inside) { return "{" + inside + "}"; }

std::string length_of(std::uint64_t length) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>((length >> (8 * i)) & 0xFFU));
  return bytes;
}

}  // namespace

TEST_CASE("what is written is read back, with its shapes and metadata") {
  const TemporaryFolder folder;
  const std::vector<float> numbers = {1.5F, -2, 0, 3e-30F, 1e30F, -0.125F};
  write_safetensors(folder / "w.safetensors", {{"a", {2, 3}, numbers}, {"b", {1}, {7}}}, {{"network", "x"}});
  const SafetensorsFile file(folder / "w.safetensors");
  CHECK(file.metadata().at("network") == "x");
  CHECK(file.tensors().at("a").shape == std::vector<std::int64_t>{2, 3});
  CHECK(file.read("a") == numbers);
  CHECK(file.read("b") == std::vector<float>{7});
}

TEST_CASE("half precision takes half the space and keeps what it can hold") {
  const TemporaryFolder folder;
  write_safetensors(folder / "w.safetensors", {{"a", {3}, {1.5F, -2048, 0.1F}}}, {}, StoredType::f16);
  const SafetensorsFile file(folder / "w.safetensors");
  CHECK(file.tensors().at("a").end - file.tensors().at("a").begin == 6);
  CHECK(file.read("a") == std::vector<float>{1.5F, -2048, 0.0999755859375F});
}

TEST_CASE("a number too large for half precision is no infinity in the file: nothing is written") {
  const TemporaryFolder folder;
  const auto write = [&] { write_safetensors(folder / "w", {{"a", {1}, {1e5F}}}, {}, StoredType::f16); };
  CHECK(contains(message_of<RunError>(write), "100000 in 'a' is too large for F16"));
  CHECK(folder.names().empty());
}

TEST_CASE("bfloat16 is read") {
  const TemporaryFolder folder;
  const std::string head = header(tensor("a", "[2]", "[0,4]", "BF16"));
  put_bytes(folder / "w", length_of(head.size()) + head + std::string("\xC0\x3F\x00\xC1", 4));
  CHECK(SafetensorsFile(folder / "w").read("a") == std::vector<float>{1.5F, -8});
}

TEST_CASE("a tensor of whole numbers may lie in the file, but not be read") {
  const TemporaryFolder folder;
  put_safetensors(folder / "w", header(tensor("count", "[]", "[0,8]", "I64")), 8);
  const SafetensorsFile file(folder / "w");
  CHECK(contains(message_of<RunError>([&] { file.read("count"); }), "'count' is of type I64"));
}

TEST_CASE("writing replaces whole files: a failure leaves the old one") {
  const TemporaryFolder folder;
  put_bytes(folder / "w", "old");
  const auto write = [&] { write_safetensors(folder / "w", {{"a", {1}, {1e5F}}}, {}, StoredType::f16); };
  CHECK(message_of<RunError>(write) != "");
  CHECK(get_bytes(folder / "w") == "old");
  CHECK(folder.names() == std::vector<std::string>{"w"});
}

TEST_CASE("what is no file at all") {
  const TemporaryFolder folder;
  const auto open = [](const std::string& path) {
    return message_of<RunError>([&] { SafetensorsFile file(path); });
  };
  CHECK(contains(open(folder / "nowhere"), "there is no such file"));
  CHECK(contains(open(folder.path()), "is a folder"));
  CHECK(contains(open("/dev/zero"), "is no ordinary file"));
}

TEST_CASE("files too short or with a wrong length") {
  CHECK(contains(refused_bytes(""), "it has 0 bytes, too few for a header"));
  CHECK(contains(refused_bytes("1234567"), "it has 7 bytes"));
  CHECK(contains(refused_bytes(length_of(100) + "{}"), "should be 100 bytes long, but only 2 follow"));
  CHECK(contains(refused_bytes(length_of(~0ULL) + "{}"), "should be 18446744073709551615 bytes long"));
  CHECK(contains(refused_bytes("<!DOCTYPE html><html></html>"), "a web page or another text"));
}

TEST_CASE("a header longer than any real one is not read") {
  const TemporaryFolder folder;
  put_bytes(folder / "w", length_of(1ULL << 30));
  std::filesystem::resize_file(folder / "w", 2ULL << 30);  // sparse
  CHECK(contains(message_of<RunError>([&] { SafetensorsFile file(folder / "w"); }),
                 "the header is 1.0 GiB long"));
}

TEST_CASE("headers that are no header") {
  CHECK(contains(refused("{\"a\":"), "no valid JSON"));
  CHECK(contains(refused("[1]"), "no JSON object"));
  CHECK(contains(refused("{\"a\":{\"shape\":" + std::string(100000, '[')), "nests deeper"));
  CHECK(contains(refused(header("\"a\":5")), "tensor 'a' has no proper dtype, shape and data_offsets"));
  CHECK(contains(refused(header("\"a\":{\"dtype\":\"F32\",\"shape\":[1]}")), "no proper dtype"));
  CHECK(contains(refused(header(tensor("a", "[1]", "[0,4,8]")), 4), "no proper dtype"));
  CHECK(contains(refused(header("\"__metadata__\":5")), "metadata is no map of texts"));
  CHECK(contains(refused(header("\"__metadata__\":{\"k\":5}")), "metadata 'k' is no text"));
}

TEST_CASE("a header of very many names takes no longer than it should") {
  std::string many = "\"x\":{}";
  for (int i = 0; i < 100000; ++i) many += ",\"" + std::to_string(i) + "\":{}";
  const auto begin = std::chrono::steady_clock::now();
  CHECK(contains(refused(header(many)), "tensor 'x' has no proper dtype"));
  std::string good = tensor("x", "[0]", "[0,0]");
  for (int i = 0; i < 20000; ++i) good += "," + tensor(std::to_string(i), "[0]", "[0,0]");
  CHECK(contains(refused(header(good), 4), "4 bytes after the last tensor"));
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
}

TEST_CASE("an unknown type is named") {
  CHECK(contains(refused(header(tensor("a", "[1]", "[0,4]", "X9")), 4), "the unknown type 'X9'"));
}

TEST_CASE("a name twice is an error, not the last one's win") {
  const std::string twice = header(tensor("a", "[1]", "[0,4]") + "," + tensor("a", "[1]", "[4,8]"));
  CHECK(contains(refused(twice, 8), "names 'a' twice"));
}

TEST_CASE("shapes that cannot be") {
  CHECK(contains(refused(header(tensor("a", "[-1]", "[0,4]")), 4),
                 "its shape takes whole numbers from 0 on, found -1"));
  CHECK(contains(refused(header(tensor("a", "[1.5]", "[0,4]")), 4), "found 1.5"));
  CHECK(contains(refused(header(tensor("a", "[\"x\"]", "[0,4]")), 4), "found 'x'"));
  CHECK(contains(refused(header(tensor("a", "[4294967296,4294967296]", "[0,4]")), 4), "absurd shape"));
  CHECK(contains(refused(header(tensor("a", "[1,1,1,1,1,1,1,1,1]", "[0,4]")), 4),
                 "has more than 8 dimensions"));
  CHECK(contains(refused(header(tensor("a", "[3]", "[0,4]")), 4),
                 "of shape [3] takes 12 bytes, but its offsets span 4"));
}

TEST_CASE("offsets that cannot be") {
  CHECK(contains(refused(header(tensor("a", "[1]", "[-4,0]")), 4),
                 "data_offsets takes whole numbers from 0 on, found -4"));
  CHECK(contains(refused(header(tensor("a", "[1]", "[8,4]")), 8), "ends before it begins: offsets 8 and 4"));
  CHECK(contains(refused(header(tensor("a", "[2]", "[0,8]")), 4),
                 "ends at byte 8 of the data, which has only 4"));
  const std::string overlap = header(tensor("a", "[2]", "[0,8]") + "," + tensor("b", "[2]", "[4,12]"));
  CHECK(contains(refused(overlap, 12), "tensors 'a' and 'b' overlap"));
  const std::string hole = header(tensor("a", "[1]", "[0,4]") + "," + tensor("b", "[1]", "[8,12]"));
  CHECK(contains(refused(hole, 12), "4 bytes before tensor 'b' belong to nothing"));
  CHECK(contains(refused(header(tensor("a", "[1]", "[0,4]")), 7),
                 "3 bytes after the last tensor belong to nothing"));
}

TEST_CASE("a name with control characters reaches no terminal") {
  const std::string message = refused(header(tensor("\\u001b[31m", "[1]", "[0,4]", "X")), 4);
  CHECK(contains(message, "unknown type"));
  CHECK_FALSE(contains(message, "\x1b"));
}

TEST_CASE("a NaN or an infinity is found when the tensor is read") {
  const TemporaryFolder folder;
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    write_safetensors(folder / "w", {{"a", {3}, {1, 2, bad}}}, {});
    const std::string message = message_of<RunError>([&] { SafetensorsFile(folder / "w").read("a"); });
    CHECK(contains(message, "at position 2; the file is damaged"));
  }
}

TEST_CASE("a tensor that is not there, and a file that shrank") {
  const TemporaryFolder folder;
  write_safetensors(folder / "w", {{"a", {3}, {1, 2, 3}}}, {});
  const SafetensorsFile file(folder / "w");
  CHECK(contains(message_of<RunError>([&] { file.read("b"); }), "has no tensor 'b'"));
  std::filesystem::resize_file(folder / "w", 20);
  CHECK(contains(message_of<RunError>([&] { file.read("a"); }), "did the file change?"));
}

TEST_CASE("files of other formats are named, with the command that converts them") {
  const TemporaryFolder folder;
  for (const char* head :
       {"PK\x03\x04", "\x89HDF\r\n\x1a\n", "\x80\x02\x8a\x0a\x6c", "\x93NUMPY\x01", "MATLAB 5.0"}) {
    put_bytes(folder / "w.pth", std::string(head) + std::string(100, 'x'));
    const std::string message = message_of<RunError>([&] { SafetensorsFile(folder / "w.pth"); });
    CHECK(contains(message, "is no safetensors file, but a"));
    CHECK(contains(message, "gramflow weights import " + (folder / "w.pth") + " -o FILE.safetensors"));
  }
  put_bytes(folder / "page", "<!DOCTYPE html><html>404</html>");
  CHECK(contains(message_of<RunError>([&] { SafetensorsFile(folder / "page"); }),
                 "a web page or another text"));
}

TEST_CASE("F64 is read") {
  const TemporaryFolder folder;
  const double values[2] = {0.5, -3};
  const std::string header = R"({"w":{"dtype":"F64","shape":[2],"data_offsets":[0,16]}})";
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>((header.size() >> (8 * i)) & 0xFFU));
  put_bytes(folder / "w", bytes + header + std::string(reinterpret_cast<const char*>(values), 16));
  CHECK(SafetensorsFile(folder / "w").read("w") == std::vector<float>{0.5F, -3});
}
