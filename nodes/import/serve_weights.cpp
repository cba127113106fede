#include "nodes/import/serve_weights.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "framework/base/error.h"
#include "nodes/import/open_tensor_file.h"
#include "nodes/import/weights_protocol.h"

namespace gramflow {
namespace {

using weights_protocol::Ask;
using weights_protocol::Reply;

class Server {
 public:
  explicit Server(const Channel& channel) : channel_(channel) {}

  void run(std::string_view request) {
    if (!guarded([&] { open(request); })) return;
    while (true) {
      const std::string message = channel_.receive();
      Unpacker unpacker(message);
      const auto ask = static_cast<Ask>(unpacker.number());
      if (ask == Ask::end) return;
      limit(unpacker);
      guarded([&] { answer(ask, unpacker); });
    }
  }

 private:
  /// False when `work` ended with a refusal.
  template <class Work>
  bool guarded(Work work) {
    std::string refusal;
    try {
      work();
      ::alarm(0);
      return true;
    } catch (const RunError& e) {
      refusal = e.what();
    } catch (const std::bad_alloc&) {
      refusal = "";  // what it means is said on the other side
    } catch (const std::length_error&) {
      refusal = "";
    }
    ::alarm(0);
    constexpr std::size_t longest = 60'000;
    channel_.send(Packer()
                      .number(static_cast<std::uint64_t>(Reply::refused))
                      .text(std::string_view(refusal).substr(0, longest))
                      .packed());
    return false;
  }

  static void limit(Unpacker& unpacker) {
    limit_memory(unpacker.number());
    ::alarm(static_cast<unsigned>(unpacker.number()));
  }

  void open(std::string_view request) {
    Unpacker unpacker(request);
    unpacker.number();  // Kind::weights
    limit(unpacker);
    const std::string path = unpacker.text();
    source_ = open_tensor_file(path, unpacker.text());
    Packer contents;
    contents.number(static_cast<std::uint64_t>(source_->format())).text(source_->format_text());
    contents.number(source_->tensors().size());
    for (const SourceTensor& tensor : source_->tensors()) {
      contents.text(tensor.name).text(tensor.type).number(tensor.shape.size());
      for (const std::int64_t side : tensor.shape) contents.number(static_cast<std::uint64_t>(side));
    }
    const std::vector<ChainLink> chain = source_->chain();
    contents.number(chain.size());
    for (const ChainLink& link : chain)
      contents.number(link.kernel).number(static_cast<std::uint64_t>(link.pools));
    reply(contents.packed());
  }

  void answer(Ask ask, Unpacker& unpacker) {
    switch (ask) {
      case Ask::layout: {
        const SourceLayout found = source_->layout(index(unpacker));
        Packer packer;
        packer.number(found.layout ? 1 : 0).text(found.layout ? found.layout->axes : "");
        reply(packer.number(found.layout && found.layout->turned ? 1 : 0).text(found.reason).packed());
        break;
      }
      case Ask::facts: {
        const LayerFacts facts = source_->facts(index(unpacker));
        Packer packer;
        packer.text(facts.trouble).number(facts.no_bias ? 1 : 0).text(facts.bias);
        packer.number(facts.activated_inside ? 1 : 0).number(facts.padding ? 1 : 0);
        reply(packer.number(static_cast<std::uint64_t>(facts.padding.value_or(0))).text(facts.norm).packed());
        break;
      }
      case Ask::epsilon: {
        const std::optional<double> epsilon = source_->epsilon(unpacker.text());
        reply(Packer().number(epsilon ? 1 : 0).real(epsilon.value_or(0)).packed());
        break;
      }
      case Ask::metadata:
        reply(Packer().text(source_->metadata(unpacker.text())).packed());
        break;
      case Ask::read: {
        const std::vector<float> numbers = std::move(source_->read({index(unpacker)}).at(0));
        reply({reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float)});
        break;
      }
      default:
        throw RunError("a question that this program does not know");
    }
  }

  std::size_t index(Unpacker& unpacker) const {
    const std::uint64_t value = unpacker.number();
    if (value >= source_->tensors().size()) throw RunError("there is no such tensor");
    return value;
  }

  void reply(std::string_view bytes) const {
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t count = std::min(bytes.size() - at, channel_.shared.size());
      std::memcpy(channel_.shared.data(), bytes.data() + at, count);
      channel_.send(Packer().number(static_cast<std::uint64_t>(Reply::portion)).number(count).packed());
      if (channel_.receive() != weights_protocol::go_on) throw RunError("the rest is not wanted");
      at += count;
    }
    channel_.send(Packer().number(static_cast<std::uint64_t>(Reply::whole)).packed());
  }

  const Channel& channel_;
  std::unique_ptr<TensorSource> source_;
};

}  // namespace

void serve_weights(std::string_view request, const Channel& channel) { Server(channel).run(request); }

}  // namespace gramflow

extern "C" const gramflow::WeightsModule gramflow_weights;
const gramflow::WeightsModule gramflow_weights = {gramflow::serve_weights};
