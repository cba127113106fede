// What training scripts put beside their tensors is no reason to refuse a file; what could run something is.
#include <doctest/doctest.h>

#include "framework/base/error.h"
#include "nodes/import/tensor_source.h"
#include "tests/weights/make_torch.h"
#include "tests/weights/support.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

std::string text(const std::string& value) { return "X" + little(value.size(), 4) + value; }

/// A dict of a tensor "w" of two numbers and one more entry, made by these instructions.
std::string checkpoint(const std::string& entry) {
  std::string tensor = torch_pickle({torch_entry("w", {2}, "0")});
  tensor = tensor.substr(2, tensor.size() - 3);  // without the protocol and the end
  return "\x80\x02}(" + text("state_dict") + tensor + text("args") + entry + "u.";
}

std::string read(const std::string& pickle) {
  const TemporaryFolder folder;
  const std::string file = folder / "w.pth";
  put_bytes(file, torch_zip(pickle, {{"0", bytes_of({1, 2})}}));
  return message_of<RunError>([&] {
    const auto source = open_tensor_source(file);
    REQUIRE(source->tensors().size() == 1);
    CHECK(source->tensors()[0].name == "state_dict.w");
    CHECK(source->read({0})[0] == std::vector<float>{1, 2});
  });
}

std::string object(const std::string& global, const std::string& arguments) {
  return "c" + global + "\n" + arguments;
}

}  // namespace

TEST_CASE("settings, counters, sets, single numbers of numpy and types are passed over") {
  for (const std::string& entry :
       {object("argparse\nNamespace", ")\x81}" + text("lr") + "K\x01sb"),
        object("collections\nCounter", "}" + text("a") + "K\x02s\x85R"),
        object("collections\ndefaultdict", "c__builtin__\nint\n\x85R"),
        object("__builtin__\nset",
               "](K\x01K\x02"
               "e\x85R"),
        object("numpy.core.multiarray\nscalar",
               "cnumpy\ndtype\n" + text("f8") + "\x89\x88\x87R" + text("12345678") + "\x86R"),
        object("torch\nfloat32", ""), object("torch\ndevice", text("cpu") + "\x85R"),
        object("pathlib\nPosixPath", text("a") + "\x85R"),
        object("datetime\ndatetime", text("0123456789") + "\x85R")})
    CHECK(read(checkpoint(entry)) == "");
}

TEST_CASE("settings may be deep, lists of losses long, vocabularies large") {
  std::string deep = "N";
  for (int i = 0; i < 300; ++i) deep = "}" + text("a") + deep + "s";
  CHECK(read(checkpoint(deep)) == "");
  std::string losses = "](";
  for (int i = 0; i < 400'000; ++i) losses += "G12345678";
  CHECK(read(checkpoint(losses + "e")) == "");
  std::string words = "}(";
  for (int i = 0; i < 100'000; ++i)
    words += text("word" + std::to_string(i)) + "J" + little(static_cast<std::uint64_t>(i), 4);
  CHECK(read(checkpoint(words + "u")) == "");
}

TEST_CASE("what Python would run is refused, with the line that helps") {
  for (const char* global : {"os\nsystem", "builtins\neval", "builtins\ngetattr", "subprocess\nPopen",
                             "torch\nload", "torch._utils\n_import_dotted_name", "numpy\nload",
                             "collections\nnamedtuple", "__main__\nConfig", "functools\npartial"}) {
    const std::string message = read(checkpoint(object(global, text("x") + "\x85R")));
    CHECK(contains(message, "asks Python to run '"));
    CHECK(contains(message, "torch.save(d.get('state_dict', d), 'weights.pth')"));
    CHECK(contains(message, "w.pth', 'cpu')"));
  }
}

TEST_CASE("a tensor of a class of its own is the tensor") {
  std::string tensor = torch_pickle({torch_entry("w", {2}, "0")});
  // torch._tensor._rebuild_from_type_v2(_rebuild_tensor_v2, Parameter, (storage, ...), state)
  const std::string maker = "ctorch._utils\n_rebuild_tensor_v2\n(";
  const std::size_t at = tensor.find(maker);
  REQUIRE(at != std::string::npos);
  const std::size_t end = tensor.rfind("tRu.");
  const std::string arguments = tensor.substr(at + maker.size(), end - at - maker.size());
  tensor = tensor.substr(0, at) +
           "ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\n" +
           "ctorch.nn.parameter\nParameter\n(" + arguments + "t}tRu.";
  const TemporaryFolder folder;
  put_bytes(folder / "w.pth", torch_zip(tensor, {{"0", bytes_of({1, 2})}}));
  CHECK(open_tensor_source(folder / "w.pth")->read({0})[0] == std::vector<float>{1, 2});
}

TEST_CASE("the old format with the protocols 3 and 4") {
  for (const char protocol : {'\x02', '\x03', '\x04'}) {
    std::string file = torch_legacy(torch_pickle({torch_entry("w", {2}, "0")}), {{"0", bytes_of({1, 2})}});
    file[1] = protocol;
    if (protocol == '\x04') file.insert(2, "\x95" + little(13, 8));
    const TemporaryFolder folder;
    put_bytes(folder / "w.pth", file);
    CHECK(open_tensor_source(folder / "w.pth")->read({0})[0] == std::vector<float>{1, 2});
  }
}

TEST_CASE("TorchScript is told by its code, compressed or not") {
  for (const char* code : {"a/code/__torch__.py", "a/constants.pkl"}) {
    std::string archive = zip_bytes({{"a/data.pkl", "N."}, {code, "x"}});
    const std::size_t entry = archive.find("PK\x01\x02", archive.find("PK\x01\x02") + 4);
    archive[entry + 10] = 8;  // deflate
    const TemporaryFolder folder;
    put_bytes(folder / "w.pt", archive);
    const std::string message = message_of<RunError>([&] { open_tensor_source(folder / "w.pt"); });
    CHECK(contains(message, "is a TorchScript program, not a state dict"));
    CHECK(contains(message, "torch.jit.load('"));
  }
}
