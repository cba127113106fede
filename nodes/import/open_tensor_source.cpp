// gramflow's side of weights_protocol.h. What the child says is checked before it is used: after a crash of a
// library its words mean nothing.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "framework/base/child_program.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"
#include "framework/base/printable.h"
#include "nodes/image/decoder_protocol.h"
#include "nodes/import/byte_file.h"
#include "nodes/import/tensor_source.h"
#include "nodes/import/weights_protocol.h"

namespace gramflow {
namespace {

using weights_protocol::Ask;
using weights_protocol::Reply;

constexpr std::uint64_t mebibyte = 1ULL << 20;
constexpr std::uint64_t most_listed = 64 * mebibyte;  ///< bytes of names and shapes
constexpr std::uint64_t most_elements = 1ULL << 28;
constexpr int grace_seconds = 10;  ///< the child's own alarm comes first

/// Lines of text for a terminal, whoever wrote them.
std::string plain_lines(std::string text) {
  for (char& c : text)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7F) c = '?';
  return text;
}

/// A file with a name, gone with its object.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& for_file) {
    std::error_code ignored;
    path_ = (std::filesystem::temp_directory_path(ignored) / "gramflow-XXXXXX").string();
    const int descriptor = ::mkostemp(path_.data(), O_CLOEXEC);
    if (descriptor < 0) throw RunError(for_file + ": cannot be unpacked: no folder for temporary files");
    ::close(descriptor);
  }
  ~ScratchFile() { ::unlink(path_.c_str()); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class ChildSource final : public TensorSource {
 public:
  explicit ChildSource(const std::string& path) : path_(path) {
    const ByteFile file(path);  // says what is wrong with the path
    const std::string head = file.read(0, std::min<std::uint64_t>(file.size(), 4), "the file's head");
    std::unique_ptr<const ScratchFile> scratch;
    if (head == "PK\x03\x04") scratch = std::make_unique<ScratchFile>(path);
    installed_file("gramflow-weights.so", "reads weights");  // which the child loads
    child_ = std::make_unique<ChildProgram>(installed_file("gramflow-decoder", "reads weights"),
                                            decoder_protocol::shared_bytes, decoder_protocol::greeting);
    // What reads MATLAB's files keeps all that is packed in memory.
    seconds_ = 60 + static_cast<int>(file.size() / (4 * mebibyte));
    memory_ = 256 * mebibyte + (head == "MATL" ? 2 * file.size() : 0);
    Packer request;
    request.number(static_cast<std::uint64_t>(decoder_protocol::Kind::weights));
    request.number(memory_).number(static_cast<std::uint64_t>(seconds_));
    request.text(path).text(scratch ? scratch->path() : "");
    send(request.packed());
    understand(receive_text(most_listed), [&](Unpacker& contents) { take_contents(contents); });
  }

  SourceFormat format() const override { return format_; }
  std::string format_text() const override { return format_text_; }
  const std::vector<SourceTensor>& tensors() const override { return tensors_; }

  std::string metadata(const std::string& key) const override {
    std::string value;
    understand(ask(Ask::metadata, Packer().text(key)), [&](Unpacker& found) { value = found.text(); });
    return value;
  }
  SourceLayout layout(std::size_t index) const override {
    SourceLayout layout;
    understand(ask(Ask::layout, Packer().number(index)), [&](Unpacker& found) {
      const bool known = found.number() != 0;
      KernelLayout said{found.text(), false};
      said.turned = found.number() != 0;
      if (known) layout.layout = said;
      layout.reason = plain_lines(found.text());
    });
    return layout;
  }
  LayerFacts facts(std::size_t index) const override {
    LayerFacts facts;
    understand(ask(Ask::facts, Packer().number(index)), [&](Unpacker& found) {
      facts.trouble = plain_lines(found.text());
      facts.no_bias = found.number() != 0;
      facts.bias = found.text();
      facts.activated_inside = found.number() != 0;
      const bool padded = found.number() != 0;
      const auto padding = static_cast<int>(found.number());
      if (padded) facts.padding = padding;
      facts.norm = found.text();
    });
    return facts;
  }
  std::vector<ChainLink> chain() const override { return chain_; }
  std::optional<double> epsilon(const std::string& module) const override {
    std::optional<double> epsilon;
    understand(ask(Ask::epsilon, Packer().text(module)), [&](Unpacker& found) {
      const bool known = found.number() != 0;
      if (known) epsilon = found.real();
    });
    return epsilon;
  }
  std::vector<std::vector<float>> read(const std::vector<std::size_t>& indices) const override {
    std::vector<std::vector<float>> result;
    for (const std::size_t index : indices) result.push_back(read_one(index));
    return result;
  }

 private:
  [[noreturn]] void ended(const std::string& why) const {
    child_.reset();
    throw RunError(fmt::format(
        "{}: the file ended the program that reads it ({}); expected whole weights; it is damaged "
        "or made to do harm, fetch or save it again",
        path_, why));
  }
  [[noreturn]] void distrust() const { ended("what it answered makes no sense"); }

  void send(std::string_view message) const {
    if (!child_) throw RunError(path_ + ": the program that reads it has ended before");
    try {
      child_->send(message);
    } catch (const ChildEnded& e) {
      ended(e.what());
    }
  }
  std::string receive() const {
    try {
      return child_->receive(seconds_ + grace_seconds);
    } catch (const ChildEnded& e) {
      ended(e.what());
    }
  }

  /// Calls `take` with the answer's bytes, at most `most` of them.
  void receive_answer(std::uint64_t most, FunctionRef<void(std::string_view)> take) const {
    std::uint64_t total = 0;
    while (true) {
      bool last = false;
      understand(receive(), [&](Unpacker& message) {
        const auto reply = static_cast<Reply>(message.number());
        if (reply == Reply::refused) refuse(message.text());
        if (reply != Reply::portion && reply != Reply::whole) distrust();
        last = reply == Reply::whole;
        const std::uint64_t count = last ? 0 : message.number();
        if (count > child_->shared().size() || count > most - total) distrust();
        total += count;
        take({reinterpret_cast<const char*>(child_->shared().data()), count});
      });
      if (last) return;
      send(weights_protocol::go_on);
    }
  }
  std::string receive_text(std::uint64_t most) const {
    std::string text;
    receive_answer(most, [&](std::string_view bytes) { text += bytes; });
    return text;
  }
  [[noreturn]] void refuse(const std::string& text) const {
    if (text.empty())
      throw RunError(path_ +
                     ": reading it wants more memory than weights need; it is damaged or made to do harm");
    throw RunError(plain_lines(text));
  }

  std::string ask(Ask question, const Packer& what) const {
    send(Packer()
             .number(static_cast<std::uint64_t>(question))
             .number(memory_)
             .number(static_cast<std::uint64_t>(seconds_))
             .packed() +
         what.packed());
    return receive_text(most_listed);
  }

  /// Calls `take`; a message that is cut short ends the conversation.
  void understand(const std::string& message, FunctionRef<void(Unpacker&)> take) const {
    Unpacker unpacker(message);
    try {
      take(unpacker);
    } catch (const RunError&) {
      throw;
    } catch (const std::runtime_error&) {
      distrust();
    }
  }

  void take_contents(Unpacker& contents) {
    const std::uint64_t format = contents.number();
    if (format > static_cast<std::uint64_t>(SourceFormat::caffe)) distrust();
    format_ = static_cast<SourceFormat>(format);
    format_text_ = plain_lines(contents.text());
    for (std::uint64_t count = contents.number(); count > 0; --count) {
      SourceTensor tensor{contents.text(), contents.text(), {}};
      const std::uint64_t rank = contents.number();
      if (rank > 64) distrust();
      for (std::uint64_t i = 0; i < rank; ++i)
        tensor.shape.push_back(static_cast<std::int64_t>(contents.number()));
      tensors_.push_back(std::move(tensor));
    }
    for (std::uint64_t count = contents.number(); count > 0; --count) {
      const std::uint64_t kernel = contents.number();
      if (kernel >= tensors_.size()) distrust();
      chain_.push_back({kernel, static_cast<int>(contents.number())});
    }
  }

  std::vector<float> read_one(std::size_t index) const {
    const SourceTensor& tensor = tensors_.at(index);
    std::uint64_t count = 1;
    for (const std::int64_t side : tensor.shape)
      if (side < 0 || __builtin_mul_overflow(count, static_cast<std::uint64_t>(side), &count) ||
          count > most_elements)
        throw RunError(path_ + ": tensor '" + printable(tensor.name) + "' is larger than any of a VGG's");
    const std::uint64_t size = count * sizeof(float);
    send(Packer()
             .number(static_cast<std::uint64_t>(Ask::read))
             .number(memory_ + 3 * size)
             .number(static_cast<std::uint64_t>(seconds_))
             .number(index)
             .packed());
    std::vector<float> numbers(count);
    std::uint64_t done = 0;
    receive_answer(size, [&](std::string_view bytes) {
      if (bytes.empty()) return;
      std::memcpy(reinterpret_cast<char*>(numbers.data()) + done, bytes.data(), bytes.size());
      done += bytes.size();
    });
    if (done != size) distrust();
    return numbers;
  }

  std::string path_;
  mutable std::unique_ptr<ChildProgram> child_;
  int seconds_ = 0;
  std::uint64_t memory_ = 0;
  SourceFormat format_ = SourceFormat::pytorch;
  std::string format_text_;
  std::vector<SourceTensor> tensors_;
  std::vector<ChainLink> chain_;
};

}  // namespace

std::unique_ptr<TensorSource> open_tensor_source(const std::string& path) {
  return std::make_unique<ChildSource>(path);
}

}  // namespace gramflow
