// Finds and loads the module that speaks to OpenImageIO: beside the program (or library) that holds this
// code, or where packages put such things, ../lib/gramflow. It is loaded once and never unloaded, so what it
// made lives as long as anyone likes.
#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

#include "framework/base/error.h"
#include "nodes/image/oiio_bridge.h"

namespace gramflow::oiio {
namespace fs = std::filesystem;
namespace {

constexpr const char* file_name = "gramflow-pictures.so";

/// The folder of the binary that this code was linked into.
fs::path own_folder() {
  Dl_info info{};
  std::error_code ignored;
  const bool known = ::dladdr(reinterpret_cast<const void*>(&own_folder), &info) != 0;
  const fs::path own = known && info.dli_fname[0] == '/' ? fs::path(info.dli_fname)
                                                         : fs::read_symlink("/proc/self/exe", ignored);
  return fs::weakly_canonical(own, ignored).parent_path();
}

const Module& load_module() {
  std::string looked_for;
  for (const fs::path& folder : {own_folder(), own_folder().parent_path() / "lib" / "gramflow"}) {
    const fs::path path = folder / file_name;
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
      looked_for += fmt::format("\n  looked for {}", path.string());
      continue;
    }
    void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const void* symbol = handle == nullptr ? nullptr : ::dlsym(handle, "gramflow_pictures");
    if (symbol == nullptr)
      throw MissingResource(fmt::format(
          "the part of gramflow that reads and writes pictures cannot be loaded: {}", ::dlerror()));
    return *static_cast<const Module*>(symbol);
  }
  throw MissingResource(
      "the part of gramflow that reads and writes pictures is missing; put the build's gramflow-pictures.so "
      "into one of these folders" +
      looked_for);
}

const Module& loaded() {
  static const Module& result = load_module();
  return result;
}

}  // namespace

std::unique_ptr<Reader> open(const std::string& path, const std::string& format) {
  return loaded().open_reader(path, format);
}

std::vector<unsigned char> encode(const Encoding& encoding, const void* samples) {
  return loaded().encode_picture(encoding, samples);
}

void load() { loaded(); }

}  // namespace gramflow::oiio
