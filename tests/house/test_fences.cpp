// Who may include what. Arrows between rooms go one way, and a library that could be replaced is known to one
// room only. docs/architecture.md says the same in words; this is what holds.
//
//   pipelines -> nodes/{loss optim fetch decoder import networks weights image} -> framework/{exec ... base}
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/house/source_files.h"

using namespace gramflow::test;

namespace {

using Rooms = std::vector<std::string>;

/// A room may include itself and what stands in its line.
const std::map<std::string, std::set<std::string>> arrows = {
    {"framework/base", {}},
    {"framework/tensor", {"framework/base"}},
    {"framework/config", {"framework/base"}},
    {"framework/schema", {"framework/base", "framework/config"}},
    {"framework/ops", {"framework/base", "framework/tensor"}},
    {"framework/devices", {"framework/base", "framework/tensor", "framework/ops"}},
    {"framework/checkpoint", {"framework/base", "framework/devices", "framework/ops", "framework/tensor"}},
    {"framework/graph", {"framework/base", "framework/config", "framework/schema", "framework/ops"}},
    {"framework/compile", {"framework/base", "framework/tensor", "framework/ops", "framework/devices"}},
    {"framework/observers", {"framework/base"}},
    {"framework/exec",
     {"framework/base", "framework/tensor", "framework/config", "framework/devices", "framework/ops",
      "framework/graph", "framework/compile", "framework/observers", "framework/checkpoint"}},
    {"nodes/image",
     {"framework/base", "framework/tensor", "framework/config", "framework/schema", "framework/ops",
      "framework/graph"}},
    {"nodes/weights", {"framework/base"}},
    {"nodes/networks",
     {"framework/base", "framework/config", "framework/schema", "framework/ops", "framework/graph",
      "nodes/weights"}},
    {"nodes/import", {"framework/base", "nodes/image", "nodes/weights", "nodes/networks"}},
    {"nodes/decoder", {"framework/base", "nodes/image", "nodes/import"}},
    {"nodes/fetch", {"framework/base", "nodes/weights", "nodes/networks", "nodes/import"}},
    {"nodes/loss", {"framework/base", "framework/schema", "framework/ops", "framework/graph"}},
    {"nodes/optim",
     {"framework/base", "framework/schema", "framework/devices", "framework/ops", "framework/graph",
      "nodes/image"}},
};

/// Beginnings of headers of other projects, and the rooms that know them.
const std::vector<std::pair<std::string, Rooms>> libraries = {
    {"yaml-cpp/", {"framework/config"}},
    {"dnnl", {"framework/devices/cpu"}},
    {"hwy/", {"framework/devices/cpu"}},
    {"Eigen/", {"framework/devices/cpu"}},
    {"omp.h", {"framework/devices/cpu"}},
    {"oneapi/", {"framework/exec"}},
    {"tbb/", {"framework/base/parallel.cpp"}},
    {"xxhash.h", {"framework/checkpoint"}},
    {"hdf5.h", {"nodes/import"}},
    {"matio.h", {"nodes/import"}},
    {"zlib.h", {"nodes/import"}},
    {"curl/", {"nodes/fetch"}},
    {"CLI/", {"pipelines"}},
    {"OpenImageIO/", {"nodes/image/decode"}},
    {"png.h", {"nodes/image/decode", "nodes/image/encode"}},
    {"jpeglib.h", {"nodes/image/decode", "nodes/image/encode"}},
    {"jerror.h", {"nodes/image/decode", "nodes/image/encode"}},
    {"tiffio.h", {"nodes/image/decode", "nodes/image/encode"}},
    {"webp/", {"nodes/image/decode", "nodes/image/encode"}},
    {"gif_lib.h", {"nodes/image/decode"}},
    {"openssl/", {"nodes/weights"}},
    {"Imf", {"nodes/image/decode", "nodes/image/encode"}},
    {"half.h", {"nodes/image/decode", "nodes/image/encode", "nodes/weights"}},
    {"lcms2.h", {"nodes/image/decode", "nodes/image/encode"}},
    {"libheif/", {"nodes/image/decode"}},
    {"jxl/", {"nodes/image/decode"}},
    // What messages and reports are written with is known everywhere.
    {"fmt/", {"framework", "nodes", "pipelines"}},
    {"nlohmann/", {"framework", "nodes", "pipelines"}},
};

/// Headers of the C and C++ standards and of POSIX and Linux that are in use.
bool is_of_the_system(const std::string& header) {
  static const std::set<std::string> posix = {"dlfcn.h",  "fcntl.h", "poll.h",   "pthread.h", "sched.h",
                                              "signal.h", "spawn.h", "stdlib.h", "unistd.h"};
  return header.find('.') == std::string::npos ? header.find('/') == std::string::npos
                                               : posix.count(header) != 0 || header.rfind("sys/", 0) == 0;
}

bool lies_in(const std::string& path, const std::string& room) {
  return path == room || path.rfind(room + "/", 0) == 0;
}

std::string room_of(const std::string& path) {
  for (const auto& [room, known] : arrows)
    if (lies_in(path, room)) return room;
  return path.substr(0, path.find('/'));
}

std::vector<SourceText> all_sources() {
  std::vector<SourceText> all;
  for (const char* folder : {"framework", "nodes", "pipelines"}) {
    std::vector<SourceText> some = sources_below(folder);
    all.insert(all.end(), std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()));
  }
  return all;
}

bool may_include(const std::string& path, const std::string& header) {
  const std::string from = room_of(path);
  const std::string to = room_of(header);
  if (from == to || from == "pipelines") return true;
  const auto room = arrows.find(from);
  return room == arrows.end() || room->second.count(to) != 0;  // files right in nodes/ gather all rooms of it
}

}  // namespace

TEST_CASE("rooms include only what the arrows allow") {
  for (const SourceText& source : all_sources())
    for (const Include& include : source.includes)
      if (!include.system)
        CHECK_MESSAGE(may_include(source.path, include.header), source.path, " includes ", include.header);
}

TEST_CASE("the framework and the nodes know nothing of what stands above them") {
  for (const SourceText& source : all_sources())
    for (const Include& include : source.includes) {
      CHECK_MESSAGE(!(lies_in(source.path, "framework") && lies_in(include.header, "nodes")), source.path);
      CHECK_MESSAGE(!(!lies_in(source.path, "pipelines") && lies_in(include.header, "pipelines")),
                    source.path);
    }
}

TEST_CASE("a library's headers are included in its room only, and every library has one") {
  for (const SourceText& source : all_sources())
    for (const Include& include : source.includes) {
      if (!include.system || is_of_the_system(include.header)) continue;
      const auto library = std::find_if(libraries.begin(), libraries.end(), [&](const auto& known) {
        return include.header.rfind(known.first, 0) == 0;
      });
      REQUIRE_MESSAGE(library != libraries.end(), source.path, " includes <", include.header,
                      ">, which has no room");
      CHECK_MESSAGE(std::any_of(library->second.begin(), library->second.end(),
                                [&](const std::string& room) { return lies_in(source.path, room); }),
                    source.path, " includes <", include.header, ">");
    }
}

TEST_CASE("every room of the list exists, and every folder is in the list") {
  std::set<std::string> found;
  for (const SourceText& source : all_sources()) found.insert(room_of(source.path));
  for (const auto& [room, known] : arrows) CHECK_MESSAGE(found.count(room) == 1, room);
  for (const std::string& room : found)
    CHECK_MESSAGE((arrows.count(room) == 1 || room == "pipelines" || room == "nodes"), room);
}

TEST_CASE("the CPU is met at its door; only the optimisers' passes over vectors are called by name") {
  const Rooms passes = {"nodes/optim", "framework/exec/session.cpp", "framework/exec/session.h"};
  for (const SourceText& source : all_sources()) {
    if (lies_in(source.path, "framework/devices/cpu")) continue;
    for (const Include& include : source.includes) {
      if (!lies_in(include.header, "framework/devices/cpu")) continue;
      const bool door = include.header == "framework/devices/cpu/cpu_device.h";
      CHECK_MESSAGE(
          (door || std::any_of(passes.begin(), passes.end(),
                               [&](const std::string& room) { return lies_in(source.path, room); })),
          source.path, " includes ", include.header);
    }
  }
}
