// gramflow-decoder: the program that reads pictures and weights for gramflow, so that a file made to harm, or
// a mistake in one of the many libraries, ends this process and not the run. It is started by gramflow
// (framework/base/child_program.h), answers until its socket is closed, and is of no use by hand.
#include <dlfcn.h>
#include <unistd.h>

#include <cstdio>

#include "framework/base/child_program.h"
#include "framework/base/child_side.h"
#include "framework/base/error.h"
#include "nodes/image/decode/serve.h"
#include "nodes/image/decoder_protocol.h"
#include "nodes/import/serve_weights.h"

using namespace gramflow;

namespace {

constexpr int out_of_memory = 4;  ///< where nothing could be said any more
constexpr int part_is_missing = 5;

bool asks_for_weights(std::string_view request) {
  return Unpacker(request).number() == static_cast<std::uint64_t>(decoder_protocol::Kind::weights);
}

/// Its libraries take a while to load, so pictures do not wait for them.
const WeightsModule& weights_module() {
  const std::string path = installed_file("gramflow-weights.so", "reads weights");
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);  // loaded once, however often
  const void* symbol = handle == nullptr ? nullptr : ::dlsym(handle, "gramflow_weights");
  if (symbol == nullptr) throw MissingResource("the part of gramflow that reads weights cannot be loaded");
  return *static_cast<const WeightsModule*>(symbol);
}

}  // namespace

int main() {
  const std::optional<Channel> channel = channel_to_parent(decoder_protocol::shared_bytes);
  if (!channel) {
    std::fputs(
        "gramflow-decoder reads pictures and weights for gramflow, which starts it; there is nothing to do "
        "for "
        "it alone\n",
        stderr);
    return 2;
  }
  channel->send(decoder_protocol::greeting);
  while (true) {
    try {
      const std::string request = channel->receive();
      if (asks_for_weights(request))
        weights_module().serve(request, *channel);
      else
        decode::serve(request, *channel);
    } catch (const MissingResource&) {
      ::_exit(part_is_missing);
    } catch (const std::exception&) {
      ::_exit(out_of_memory);
    }
  }
}
