// PyTorch's two formats, right and wrong. Every hostile file has its own message, and nothing in it runs.
#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>

#include "framework/base/error.h"
#include "nodes/import/tensor_source.h"
#include "tests/weights/make_torch.h"
#include "tests/weights/support.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

const std::vector<float> six = {1, 2, 3, 4, 5, 6};

/// Opens a file of these bytes and reads its first tensor.
std::vector<float> read_first(const std::string& bytes) {
  const TemporaryFolder folder;
  put_bytes(folder / "w.pth", bytes);
  return open_tensor_source(folder / "w.pth")->read({0}).at(0);
}

std::string refused(const std::string& bytes) {
  return message_of<RunError>([&] { read_first(bytes); });
}

std::string one_tensor_zip(const TorchEntry& entry, const std::string& storage = bytes_of(six)) {
  return torch_zip(torch_pickle({entry}), {{entry.storage, storage}});
}
std::string one_tensor_legacy(const TorchEntry& entry, const std::string& storage = bytes_of(six)) {
  return torch_legacy(torch_pickle({entry}), {{entry.storage, storage}});
}

TorchEntry strided(std::vector<std::int64_t> shape, std::vector<std::int64_t> strides,
                   std::int64_t offset = 0) {
  return {"w", std::move(shape), std::move(strides), "0", offset, 6};
}

}  // namespace

TEST_CASE("both formats give the tensors with their names and shapes") {
  for (const std::string& bytes :
       {one_tensor_zip(torch_entry("w", {2, 3}, "0")), one_tensor_legacy(torch_entry("w", {2, 3}, "0"))}) {
    const TemporaryFolder folder;
    put_bytes(folder / "w.pth", bytes);
    const auto source = open_tensor_source(folder / "w.pth");
    CHECK(source->format() == SourceFormat::pytorch);
    REQUIRE(source->tensors().size() == 1);
    CHECK(source->tensors()[0].name == "w");
    CHECK(source->tensors()[0].type == "F32");
    CHECK(source->tensors()[0].shape == std::vector<std::int64_t>{2, 3});
    CHECK(source->read({0}).at(0) == six);
  }
}

TEST_CASE("strides and offsets are followed") {
  CHECK(read_first(one_tensor_zip(strided({3, 2}, {1, 3}))) == std::vector<float>{1, 4, 2, 5, 3, 6});
  CHECK(read_first(one_tensor_legacy(strided({2}, {2}, 1))) == std::vector<float>{2, 4});
  CHECK(read_first(one_tensor_zip(strided({3}, {0}, 5))) == std::vector<float>{6, 6, 6});
  CHECK(read_first(one_tensor_zip(strided({0}, {1}))) == std::vector<float>{});
}

TEST_CASE("tensors may share a storage") {
  const std::vector<TorchEntry> entries = {strided({2}, {1}, 0), {"v", {2}, {1}, "0", 4, 6}};
  const TemporaryFolder folder;
  put_bytes(folder / "w.pth", torch_legacy(torch_pickle(entries), {{"0", bytes_of(six)}}));
  const auto values = open_tensor_source(folder / "w.pth")->read({0, 1});
  CHECK(values[0] == std::vector<float>{1, 2});
  CHECK(values[1] == std::vector<float>{5, 6});
}

TEST_CASE("half precision, bfloat16 and double are read; whole numbers only listed") {
  TorchEntry half{"w", {2}, {1}, "0", 0, 2, "HalfStorage"};
  CHECK(read_first(one_tensor_zip(half, little(0x3C00, 2) + little(0xC000, 2))) == std::vector<float>{1, -2});
  half.type = "BFloat16Storage";
  CHECK(read_first(one_tensor_zip(half, little(0x3F80, 2) + little(0xC000, 2))) == std::vector<float>{1, -2});
  TorchEntry wide{"w", {1}, {1}, "0", 0, 1, "DoubleStorage"};
  CHECK(read_first(one_tensor_zip(wide, little(0x3FF8000000000000, 8))) == std::vector<float>{1.5F});
  wide.type = "LongStorage";
  CHECK(contains(refused(one_tensor_zip(wide, little(7, 8))),
                 "tensor 'w' is of type I64, which holds no real numbers"));
}

TEST_CASE("a pickle that would run a command is refused, and the command not run") {
  const TemporaryFolder folder;
  const std::string proof = folder / "proof";
  for (const char* module : {"os", "posix", "nt"}) {
    const std::string pickle = calling_pickle(module, "system", "touch " + proof);
    const std::string expected = std::string("asks Python to run '") + module + ".system'";
    CHECK(contains(refused(torch_zip(pickle, {})), expected));
    CHECK(contains(refused(torch_legacy(pickle, {})), expected));
  }
  CHECK(contains(refused(torch_zip(calling_pickle("builtins", "eval", "1"), {})), "'builtins.eval'"));
  CHECK_FALSE(std::filesystem::exists(proof));
}

TEST_CASE("a hidden call counts although its result is thrown away") {
  std::string pickle = torch_pickle({torch_entry("w", {6}, "0")});
  pickle.insert(2, "cos\nsystem\n0");
  CHECK(contains(refused(torch_zip(pickle, {{"0", bytes_of(six)}})), "asks Python to run 'os.system'"));
}

TEST_CASE("a whole model instead of a state dict is told from malice") {
  const std::string pickle = calling_pickle("torchvision.models.vgg", "VGG", "");
  CHECK(contains(refused(torch_zip(pickle, {})),
                 "holds a whole Python object (torchvision.models.vgg.VGG), not a state dict"));
}

TEST_CASE("a whole model of the old format, whose class is a persistent id") {
  // ('module', torchvision.models.vgg.VGG, 'file.py', 'source') and an object of it.
  const auto text = [](const std::string& value) { return "X" + little(value.size(), 4) + value; };
  const std::string pickle = "\x80\x02(" + text("module") + "ctorchvision.models.vgg\nVGG\n" +
                             text("vgg.py") + text("class VGG: ...") + "tQ)\x81}b.";
  CHECK(contains(refused(torch_legacy(pickle, {})),
                 "holds a whole Python object (torchvision.models.vgg.VGG)"));
}

TEST_CASE("damaged pickles") {
  const auto zip = [](const std::string& pickle) { return refused(torch_zip(pickle, {})); };
  CHECK(contains(zip(""), "truncated"));
  CHECK(contains(zip("\x80\x02X\xFF\xFF\xFF\xFF"), "truncated"));
  CHECK(contains(zip("\x80\x02."), "takes a value that is not there"));
  CHECK(contains(zip("\x80\x02t."), "goes back to a mark that is not there"));
  CHECK(contains(zip("\x80\x02h\x07."), "asks for a value it never made"));
  CHECK(contains(zip("\x80\x02\xFF."), "has the instruction 0xff, which no state dict needs"));
  CHECK(contains(zip("\x80\x02N."), "holds no tensors"));
  CHECK(contains(zip(std::string(3'000'000, '}') + "."), "makes more values than any weights file"));
  CHECK(contains(zip(std::string(3'000'000, '(') + "."), "nests deeper than any weights file"));
}

TEST_CASE("a dict that holds itself does not trap the reader") {
  const std::string cyclic =
      "\x80\x02}q" + std::string(1, '\0') + "X" + little(1, 4) + "a" + "h" + std::string(1, '\0') + "s.";
  CHECK(contains(refused(torch_zip(cyclic, {})), "holds no tensors"));
}

TEST_CASE("dicts that multiply do not either") {
  // Each level holds the one below it ten times; without a limit that is 10^30 visits.
  std::string pickle = "\x80\x02}q" + std::string(1, '\0');
  for (char level = 1; level < 30; ++level) {
    pickle += "}(";
    for (char i = 0; i < 10; ++i)
      pickle += "X" + little(1, 4) + std::string(1, static_cast<char>('a' + i)) + "h" +
                std::string(1, static_cast<char>(level - 1));
    pickle += "uq" + std::string(1, level);
  }
  CHECK(contains(refused(torch_zip(pickle + ".", {})), "holds more than any state dict"));
}

TEST_CASE("tensors that reach beyond their storage") {
  const std::string message = "tensor 'w' reaches beyond the end of its storage";
  CHECK(contains(refused(one_tensor_zip(strided({7}, {1}))), message));
  CHECK(contains(refused(one_tensor_zip(strided({6}, {1}, 1))), message));
  CHECK(contains(refused(one_tensor_zip(strided({2}, {1}, 1LL << 62))), message));
  CHECK(contains(refused(one_tensor_zip(strided({1LL << 40, 1LL << 40}, {1LL << 40, 1}))), message));
  CHECK(contains(refused(one_tensor_legacy(strided({3, 3}, {3, 1}))), message));
}

TEST_CASE("negative and absurd numbers") {
  CHECK(
      contains(refused(one_tensor_zip(strided({-1}, {1}))), "has a shape that is no whole number from 0 on"));
  CHECK(contains(refused(one_tensor_zip(strided({1}, {-1}))),
                 "has a stride that is no whole number from 0 on"));
  CHECK(contains(refused(one_tensor_zip(strided({1}, {1}, -1))),
                 "has a storage offset that is no whole number from 0 on"));
  CHECK(
      contains(refused(one_tensor_zip(strided({1, 1}, {1}))), "has a stride that does not match its shape"));
  CHECK(contains(refused(one_tensor_zip(strided({1LL << 40}, {0}))), "is larger than any of a VGG's"));
}

TEST_CASE("storages that are not there or too short") {
  const std::string pickle = torch_pickle({torch_entry("w", {6}, "0")});
  CHECK(contains(refused(torch_zip(pickle, {})), "storage '0' is not in the archive"));
  CHECK(contains(refused(torch_zip(pickle, {{"0", "1234"}})),
                 "storage '0' should hold 6 numbers, but has only 4 bytes"));
  CHECK(contains(refused(torch_legacy(pickle, {})), "storage '0' is not in the file"));
  CHECK(
      contains(refused(torch_legacy(pickle, {{"0", "1234"}})), "storage '0' should hold 6 numbers, found 1"));
  CHECK(contains(refused(torch_legacy(pickle, {{"9", bytes_of(six)}})), "storage '9' belongs to no tensor"));
}

TEST_CASE("a truncated file says so, wherever it was cut") {
  for (const std::string& whole :
       {one_tensor_zip(torch_entry("w", {6}, "0")), one_tensor_legacy(torch_entry("w", {6}, "0"))})
    for (std::size_t size = 20; size < whole.size(); size += 7) {
      INFO(size);
      CHECK_FALSE(refused(whole.substr(0, size)).empty());
    }
}

TEST_CASE("two tensors of one name") {
  const auto entry = torch_entry("w", {6}, "0");
  CHECK(contains(refused(torch_zip(torch_pickle({entry, entry}), {{"0", bytes_of(six)}})),
                 "tensor 'w' is there twice"));
}

TEST_CASE("a changed byte is found by its record's checksum") {
  std::string bytes = one_tensor_zip(torch_entry("w", {6}, "0"));
  bytes[bytes.find(bytes_of(six)) + 3] ^= 1;
  CHECK(contains(refused(bytes), "record 'archive/data/0' does not match its checksum"));
}

TEST_CASE("archives that are no state dict") {
  CHECK(contains(refused(zip_bytes({{"word/document.xml", "<a/>"}})),
                 "a ZIP archive, but not one of torch.save"));
  CHECK(contains(refused(zip_bytes({{"a/data.pkl", "N."}, {"a/constants.pkl", "N."}})),
                 "is a TorchScript program"));
  CHECK(contains(refused(zip_bytes({{"a/data.pkl", "N."}, {"a/byteorder", "big"}})), "big-endian"));
}

TEST_CASE("a bomb has nothing to explode: compressed records are refused unread") {
  std::string bytes = one_tensor_zip(torch_entry("w", {6}, "0"));
  bytes[bytes.find("PK\x01\x02") + 10] = 8;  // deflate
  CHECK(contains(refused(bytes), "record 'archive/data.pkl' is compressed"));
}

TEST_CASE("archives that lie about themselves") {
  const std::string good = one_tensor_zip(torch_entry("w", {6}, "0"));
  const std::size_t table = good.find("PK\x01\x02");
  const auto with = [&](std::size_t at, const std::string& bytes) {
    std::string changed = good;
    changed.replace(at, bytes.size(), bytes);
    return refused(changed);
  };
  CHECK(contains(with(table + 8, little(1, 2)), "is encrypted"));
  CHECK(contains(with(table + 20, little(5, 4)), "has two different sizes"));
  CHECK(
      contains(with(table + 20, little(1 << 30, 4) + little(1 << 30, 4)), "lies beyond the end of the file"));
  CHECK(contains(with(table + 42, little(5, 4)), "is damaged"));
  CHECK(contains(with(table, "XX"), "table of contents is damaged"));
  CHECK(contains(with(good.size() - 6, little(1 << 30, 4)), "lies beyond the end"));
  CHECK(contains(refused(zip_bytes({{"a", "1"}, {"a", "2"}})), "record 'a' is there twice"));
  const std::size_t second = good.find("PK\x01\x02", table + 4);
  CHECK(contains(with(second + 20, little(75, 4) + little(75, 4)), "overlap"));
}

TEST_CASE("a sparse file of 2 GB is refused at once") {
  const TemporaryFolder folder;
  put_bytes(folder / "w.pth", one_tensor_legacy(torch_entry("w", {1 << 29}, "0"), ""));
  std::filesystem::resize_file(folder / "w.pth", 2ULL << 30);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(message_of<RunError>([&] { open_tensor_source(folder / "w.pth"); }) != "");
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(1));
}

TEST_CASE("other files are named for what they seem to be") {
  CHECK(contains(refused(""), "it is empty"));
  CHECK(contains(refused("\n<!DOCTYPE html><html>404</html>"), "it is a web page"));
  CHECK(contains(refused("version https://git-lfs.github.com/spec/v1\n"), "a Git LFS pointer"));
  CHECK(contains(refused("\x1f\x8b\x08 123456"), "compressed with gzip"));
  CHECK(contains(refused("\x80\x03}q."), "a Python pickle, but not one of torch.save"));
  CHECK(contains(refused("nothing of the kind"), "its first bytes are unknown"));
}
