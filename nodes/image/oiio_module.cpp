// Finds and loads the module that writes pictures. It is loaded once and never unloaded, so what it made
// lives as long as anyone likes.
#include <dlfcn.h>
#include <fmt/format.h>

#include "framework/base/child_program.h"
#include "framework/base/error.h"
#include "nodes/image/oiio_bridge.h"

namespace gramflow::oiio {
namespace {

const Module& load_module() {
  const std::string path = installed_file("gramflow-pictures.so", "writes pictures");
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  const void* symbol = handle == nullptr ? nullptr : ::dlsym(handle, "gramflow_pictures");
  if (symbol == nullptr)
    throw MissingResource(
        fmt::format("the part of gramflow that writes pictures cannot be loaded: {}", ::dlerror()));
  return *static_cast<const Module*>(symbol);
}

const Module& loaded() {
  static const Module& result = load_module();
  return result;
}

}  // namespace

std::vector<unsigned char> encode(const Encoding& encoding, const void* samples) {
  return loaded().encode_picture(encoding, samples);
}

void load() { loaded(); }

}  // namespace gramflow::oiio
