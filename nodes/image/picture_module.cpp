#include "nodes/image/picture_module.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include "framework/base/child_program.h"
#include "framework/base/error.h"

namespace gramflow::encode {
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

}  // namespace

const Module& picture_module() {
  static const Module& result = load_module();
  return result;
}

}  // namespace gramflow::encode
