// Files of every format, spoilt in every way that comes to mind: `check` says something about each, no signal ends
// it, and it takes little memory. A few in every run of the tests; for an hour with
//   GRAMFLOW_SPOIL_SECONDS=3600 GRAMFLOW_SPOIL_KEEP=/tmp/spoilt build/test_picture_mutations
// The same number always spoils in the same way: GRAMFLOW_SPOIL_FIRST=N begins with the N-th.
#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "nodes/image/picture_io.h"
#include "tests/image/make_files.h"
#include "tests/image/make_modern.h"
#include "tests/image/make_profile.h"
#include "tests/image/make_tiff.h"
#include "tests/support/program.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

constexpr long most_kilobytes = 300 * 1024;

long number_from(const char* variable, long otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtol(text, nullptr, 10);
}

/// Whole files of every format that can be made here.
std::vector<std::string> whole_files() {
  const TemporaryFolder folder;
  std::vector<std::string> files;
  const auto take = [&](const std::string& name) { files.push_back(file_bytes(folder / name)); };
  const Picture picture = sample_picture(40, 30);
  for (const std::string name : {"a.png", "a.jpg", "a.tif", "a.exr", "a.webp", "a.bmp"}) {
    write_picture(folder / name, picture);
    take(name);
  }
  const std::string profile = profiles().front().icc;
  files.push_back(with_png_chunk(files[0], "gAMA", big_endian(45455)));
  files.push_back(with_jpeg_segment(files[1], 0xE2, std::string("ICC_PROFILE\0\1\1", 14) + profile));
  for (const char* kind : {"heic", "avif", "jxl"})
    if (write_modern(folder / kind, picture, {.kind = kind})) take(kind);
  for (const char* colours : {"grey", "rgb", "cmyk", "palette"})
    for (const char* compression : {"none", "lzw", "zip", "packbits", "jpeg"})
      for (const int tile : {0, 16}) {
        if (std::string(compression) == "jpeg" && std::string(colours) == "palette") continue;
        TiffFile tiff;
        tiff.tile_width = tiff.tile_height = tile;
        tiff.colours = colours;
        tiff.compression = compression;
        tiff.planes = tile == 0;
        tiff.profile = std::string(colours) == "rgb" ? profile : "";
        write_tiff(folder / "t.tif", tiff);
        take("t.tif");
      }
  for (const char* name : {"a.tga", "a.hdr", "a.dpx", "a.jp2"}) {
    RawFile raw;
    raw.width = 12;
    raw.height = 9;
    raw.samples.assign(12 * 9 * 3, 0.4F);
    write_raw(folder / name, raw);
    take(name);
  }
  files.emplace_back("P2\n4 2\n25\n1 2 3 4\n5 6 7 25\n");
  files.emplace_back("P1\n4 2\n10101100\n");
  files.emplace_back("P6\n2 2\n255\nabcdefghijkl");
  files.emplace_back("P7\nWIDTH 2\nHEIGHT 1\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\nabcdef");
  files.emplace_back("PF\n2 1\n-1.0\n" + std::string(24, 'a'));
  return files;
}

class Spoiler {
 public:
  explicit Spoiler(const std::vector<std::string>& files) : files_(files) {}

  std::string file(long number) {
    generator_.seed(static_cast<unsigned>(number));
    std::string bytes = files_[roll(files_.size())];
    for (std::size_t changes = 1 + roll(4); changes > 0 && !bytes.empty(); --changes) change(bytes);
    return bytes;
  }

 private:
  std::size_t roll(std::size_t sides) {
    return std::uniform_int_distribution<std::size_t>(0, sides - 1)(generator_);
  }
  /// Somewhere, more often in the beginning, where headers are.
  std::size_t place(const std::string& bytes) {
    return roll(2) == 0 ? roll(bytes.size()) : roll(std::min<std::size_t>(bytes.size(), 200));
  }

  void change(std::string& bytes) {
    const std::size_t at = place(bytes);
    switch (roll(7)) {
      case 0:
        bytes[at] = static_cast<char>(roll(256));
        break;
      case 1: {  // a size or an offset
        static constexpr std::uint32_t odd[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x10000, 0xFFFF};
        std::string value = big_endian(odd[roll(std::size(odd))]);
        if (roll(2) == 0) std::reverse(value.begin(), value.end());
        bytes.replace(at, std::min<std::size_t>(4, bytes.size() - at), value);
        break;
      }
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.erase(at, 1 + roll(64));
        break;
      case 4:
        bytes.insert(at, bytes.substr(place(bytes), 1 + roll(256)));
        break;
      case 5: {
        const std::string& other = files_[roll(files_.size())];
        bytes = bytes.substr(0, at) + other.substr(place(other));
        break;
      }
      default:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << roll(8)));
    }
  }

  const std::vector<std::string>& files_;
  std::mt19937 generator_;
};

}  // namespace

TEST_CASE("no spoilt file ends check, or costs it more than 300 MiB") {
  const long first = number_from("GRAMFLOW_SPOIL_FIRST", 0);
  const long seconds = number_from("GRAMFLOW_SPOIL_SECONDS", 0);
  const char* keep = std::getenv("GRAMFLOW_SPOIL_KEEP");
  constexpr long in_every_run = 100;
  const TemporaryFolder folder;
  put_bytes(
      folder / "p.yaml",
      "version: 1\nnodes:\n  pic: {type: Load, path: x}\n  save: {type: Save, image: pic, path: out.png}\n");
  const std::vector<std::string> files = whole_files();
  Spoiler spoiler(files);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  long number = first;
  long most = 0;
  long refused = 0;
  for (; seconds > 0 ? std::chrono::steady_clock::now() < end : number < first + in_every_run; ++number) {
    const std::string bytes = spoiler.file(number);
    put_bytes(folder / "x", bytes);
    const ProgramResult check = run_gramflow(folder.path(), "check p.yaml");
    const bool good = (check.code == 0 || (check.code >= 1 && check.code <= 3 && !check.err.empty())) &&
                      check.peak_kilobytes < most_kilobytes;
    INFO("number " << number << ": " << check.err);
    CHECK(check.code >= 0);
    CHECK(check.code <= 3);
    CHECK((check.code == 0 || !check.err.empty()));
    CHECK(check.peak_kilobytes < most_kilobytes);
    if (!good && keep != nullptr) {
      std::filesystem::create_directories(keep);
      put_bytes(std::string(keep) + "/" + std::to_string(number), bytes);
    }
    most = std::max(most, check.peak_kilobytes);
    refused += check.code == 0 ? 0 : 1;
  }
  MESSAGE((number - first) << " files, " << refused << " refused, at most " << most / 1024 << " MiB");
  CHECK(refused > (number - first) / 4);
}
