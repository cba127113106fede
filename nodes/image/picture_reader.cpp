// The parent's side of decoder_protocol.h. What the child says is checked before it is used: after a crash of
// a decoder its words mean nothing.
#include "nodes/image/picture_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "framework/base/available_memory.h"
#include "framework/base/child_program.h"
#include "framework/base/error.h"
#include "framework/base/plain_file.h"
#include "framework/base/text.h"
#include "nodes/image/decoder_protocol.h"
#include "nodes/image/readable_formats.h"

namespace gramflow {
namespace fs = std::filesystem;
using decoder_protocol::Kind;

namespace {

constexpr std::uint64_t header_memory = std::uint64_t{128} << 20;
constexpr int header_seconds = 30;
constexpr int grace_seconds = 10;  ///< its own alarm comes first

[[noreturn]] void report_missing(const std::string& path) {
  const fs::path absolute = fs::absolute(path).lexically_normal();
  const fs::path folder = absolute.parent_path();
  std::error_code ignored;
  std::string hint;
  if (!fs::is_directory(folder, ignored)) {
    hint = fmt::format("the folder {} does not exist either; check the path", folder.string());
  } else {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder, ignored))
      names.push_back(entry.path().filename().string());
    hint = did_you_mean(fs::path(path).filename().string(), names);
    if (hint.empty()) hint = "check the path, or put the picture there";
  }
  throw MissingResource(
      fmt::format("{}: there is no such picture; looked for {}; {}", path, absolute.string(), hint));
}

// Opens nothing but the first bytes, so that a wrong kind of file gets a message of its own.
const ReadableFormat& format_of_file(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) report_missing(path);
  if (status.type() == fs::file_type::directory)
    throw MissingResource(
        fmt::format("{}: this is a folder; expected a picture file; name a file inside it", path));
  if (error && status.type() == fs::file_type::none)
    throw MissingResource(
        fmt::format("{}: cannot be looked at ({}); expected a readable picture file", path, error.message()));
  if (const std::string kind = not_a_plain_file(path); !kind.empty())
    throw MissingResource(fmt::format("{}: this is {}; expected a picture file", path, kind));
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw MissingResource(
        fmt::format("{}: cannot be opened ({}); expected a readable picture file; check its permissions",
                    path, std::strerror(errno)));
  std::string head(telling_bytes, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  if (head.empty())
    throw RunError(
        fmt::format("{}: the file is empty (0 bytes); expected a picture; fetch or save it again", path));
  if (const ReadableFormat* format = format_beginning_with(head)) return *format;
  const OtherFile other = describe_other_file(head);
  throw RunError(
      fmt::format("{}: {}; expected a picture: {}; {}", path, other.what, readable_titles(), other.advice));
}

struct Point {
  std::int64_t x;
  std::int64_t y;
};

// Where the stored pixel (x, y) of a width x height file is seen, by the EXIF orientation tag.
Point oriented(std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height, int orientation) {
  switch (orientation) {
    case 2:
      return {width - 1 - x, y};
    case 3:
      return {width - 1 - x, height - 1 - y};
    case 4:
      return {x, height - 1 - y};
    case 5:
      return {y, x};
    case 6:
      return {height - 1 - y, x};
    case 7:
      return {height - 1 - y, width - 1 - x};
    case 8:
      return {y, width - 1 - x};
    default:
      return {x, y};
  }
}

}  // namespace

// One picture's conversation with the child.
class PictureReader::Visit {
 public:
  Visit(std::unique_ptr<ChildProgram>& child, const std::string& path)
      : child_(child), path_(path), format_(format_of_file(path)) {}

  PictureInfo ask(Kind kind, std::uint64_t memory, int seconds) {
    seconds_ = seconds;
    memory_ = memory;
    std::error_code ignored;
    const fs::path absolute = fs::absolute(path_, ignored);
    Packer request;
    request.number(static_cast<std::uint64_t>(kind))
        .number(memory)
        .number(static_cast<std::uint64_t>(seconds));
    request.text(format_.key).text(absolute.string());
    // A child that served other pictures may have been ended since, or be worn out: then a new one gets the
    // same question.
    if (child_) {
      try {
        child_->send(request.packed());
        return header_of(child_->receive(seconds_ + grace_seconds));
      } catch (const ChildEnded&) {
        child_.reset();
      }
    }
    child_ = std::make_unique<ChildProgram>(installed_file("gramflow-decoder", "reads pictures"),
                                            decoder_protocol::shared_bytes, decoder_protocol::greeting);
    send(request.packed());
    return header_of(receive());
  }

  /// After ask(Kind::pixels). `rgb` is empty when the pixels are only tried.
  void take_pixels(const PictureInfo& info, std::span<float> rgb) {
    const bool turned = info.orientation >= 5;
    const std::int64_t width = turned ? info.height : info.width;
    const std::int64_t height = turned ? info.width : info.height;
    const std::uint64_t pixels = static_cast<std::uint64_t>(info.size().pixels());
    const auto* const shared = reinterpret_cast<const float*>(child_->shared().data());
    const std::uint64_t room = child_->shared().size() / (3 * sizeof(float));
    std::uint64_t expected = 0;
    send(decoder_protocol::go_on);
    while (true) {
      Unpacker message(payload_ = receive());
      const Kind kind = take_kind(message);
      if (kind == Kind::done) break;
      const std::uint64_t first = kind == Kind::rows ? message.number() : pixels;
      const std::uint64_t count = kind == Kind::rows ? message.number() : 0;
      if (first != expected || count == 0 || count > room || count > pixels - first) distrust();
      if (!rgb.empty() && info.orientation == 1) {
        std::copy_n(shared, count * 3, rgb.data() + first * 3);
      } else if (!rgb.empty()) {
        for (std::uint64_t i = 0; i < count; ++i) {
          const auto at = static_cast<std::int64_t>(first + i);
          const Point seen = oriented(at % width, at / width, width, height, info.orientation);
          std::copy_n(shared + i * 3, 3, rgb.data() + (seen.y * info.width + seen.x) * 3);
        }
      }
      expected += count;
      send(decoder_protocol::go_on);
    }
    if (expected != pixels) distrust();
  }

 private:
  void send(std::string_view message) {
    try {
      child_->send(message);
    } catch (const ChildEnded& e) {
      report_end(e.what());
    }
  }
  std::string receive() {
    try {
      return child_->receive(seconds_ + grace_seconds);
    } catch (const ChildEnded& e) {
      report_end(e.what());
    }
  }
  [[noreturn]] void report_end(const std::string& why) {
    child_.reset();
    report_want_of_memory();
    if (why == ::strsignal(SIGKILL))
      throw RunError(
          fmt::format("{}: the program that decodes pictures was killed, as a system does that runs out of "
                      "memory; {} are {}; run again when more is free",
                      path_, human_bytes(available_memory().bytes), available_memory().limit));
    throw RunError(fmt::format(
        "{}: the {} picture ended the program that decodes it ({}); expected a whole picture; it is "
        "damaged or made to do harm, fetch or save it again",
        path_, format_.title, why));
  }
  /// Where this process may not have what the child was allowed, it is not the picture's fault.
  void report_want_of_memory() const {
    const AvailableMemory available = available_memory();
    if (available.bytes >= memory_) return;
    throw RunError(
        fmt::format("{}: decoding it may take {} of memory, and {} are {}; free some, or make the picture "
                    "smaller",
                    path_, human_bytes(memory_), human_bytes(available.bytes), available.limit));
  }
  [[noreturn]] void distrust() { report_end("what it answered makes no sense"); }

  /// The kind of a message that is no refusal.
  Kind take_kind(Unpacker& message) {
    const auto kind = static_cast<Kind>(message.number());
    if (kind == Kind::damaged)
      throw RunError(fmt::format(
          "{}: the {} picture is damaged or cut short ({}); expected a whole picture; fetch or save it again",
          path_, format_.title, one_line(message.text())));
    if (kind == Kind::not_read) {
      const std::string what = message.text();
      throw RunError(fmt::format("{}: this is {}, which is not read, though the file seems to be whole; {}",
                                 path_, one_line(what), message.text()));
    }
    if (kind == Kind::out_of_memory) report_want_of_memory();
    if (kind == Kind::out_of_memory)
      throw RunError(fmt::format(
          "{}: the {} picture asks for more memory than its header accounts for; expected a whole "
          "picture; it is damaged or made to do harm",
          path_, format_.title));
    return kind;
  }

  PictureInfo header_of(const std::string& answer) {
    try {
      return unpack_header(answer);
    } catch (const RunError&) {
      throw;
    } catch (const std::runtime_error&) {
      distrust();
    }
  }
  PictureInfo unpack_header(const std::string& answer) {
    Unpacker message(answer);
    if (take_kind(message) != Kind::header) distrust();
    const auto number = [&] { return static_cast<std::int64_t>(message.number()); };
    const std::int64_t width = number();
    const std::int64_t height = number();
    PictureInfo info;
    info.channels = static_cast<int>(number());
    info.bits = static_cast<int>(number());
    info.alpha = number() != 0;
    info.floating = number() != 0;
    info.orientation = static_cast<int>(number());
    info.working_bytes = message.number();
    std::error_code ignored;
    if (const std::uintmax_t size = fs::file_size(path_, ignored); !ignored) info.file_bytes = size;
    info.software = message.text();
    info.description = message.text();
    for (std::uint64_t count = message.number(); count > 0; --count) info.notes.push_back(message.text());
    const std::uint64_t longer = message.number();
    if (longer > child_->shared().size() || info.orientation < 1 || info.orientation > 8) distrust();
    Unpacker blocks({reinterpret_cast<const char*>(child_->shared().data()), longer});
    info.profile = blocks.bytes();
    info.exif = blocks.bytes();
    info.xmp = blocks.bytes();
    info.format = format_.key;
    judge_size(width, height, info.channels);
    info.width = static_cast<int>(info.orientation >= 5 ? height : width);
    info.height = static_cast<int>(info.orientation >= 5 ? width : height);
    return info;
  }
  void judge_size(std::int64_t width, std::int64_t height, int channels) const {
    if (width < 1 || height < 1 || channels < 1)
      throw RunError(
          fmt::format("{}: the {} header says {}x{} pixels of {} channels; expected at least 1x1 of 1; the "
                      "file is damaged",
                      path_, format_.title, width, height, channels));
    if (width > largest_picture_pixels / height)
      throw RunError(
          fmt::format("{}: the {} header says {}x{} pixels; expected at most {} million in all; the file is "
                      "damaged, or has to be made smaller first",
                      path_, format_.title, width, height, largest_picture_pixels / 1000000));
  }

  std::unique_ptr<ChildProgram>& child_;
  const std::string& path_;
  const ReadableFormat& format_;
  std::string payload_;
  int seconds_ = header_seconds;
  std::uint64_t memory_ = 0;
};

PictureReader::PictureReader() = default;
PictureReader::~PictureReader() = default;

namespace {

/// Decoding is slow with some formats; a minute and two seconds a megapixel are a sign of something else.
int seconds_for(const PictureInfo& info) { return 60 + static_cast<int>(info.size().pixels() / 500000); }

/// A limit for what is damaged, not the plan's figure: some libraries abort where memory ends.
std::uint64_t memory_for(const PictureInfo& info) {
  return info.working_bytes * 5 / 2 + (std::uint64_t{128} << 20);
}

}  // namespace

PictureInfo PictureReader::info(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return Visit(child_, path).ask(Kind::header, header_memory, header_seconds);
}

void PictureReader::read(const std::string& path, std::span<float> rgb, PictureSize expected) {
  const std::lock_guard lock(mutex_);
  Visit visit(child_, path);
  const PictureInfo before = visit.ask(Kind::header, header_memory, header_seconds);
  if (before.size() != expected || (!rgb.empty() && rgb.size() != expected.floats()))
    throw RunError(
        fmt::format("{}: the picture is {}x{}; expected {}x{} as when the run was planned; it was changed in "
                    "between, run again",
                    path, before.width, before.height, expected.width, expected.height));
  const PictureInfo now = visit.ask(Kind::pixels, memory_for(before), seconds_for(before));
  if (now.size() != expected) throw RunError(path + ": the picture was changed while it was read; run again");
  visit.take_pixels(now, rgb);
}

Picture PictureReader::read(const std::string& path) {
  Picture picture(info(path).size());
  read(path, picture.rgb, picture.size());
  return picture;
}

void PictureReader::try_out(const std::string& path) {
  constexpr std::size_t most_memory = std::size_t{160} << 20;
  constexpr std::int64_t most_pixels = std::int64_t{200} << 20;
  const PictureInfo before = info(path);
  if (before.working_bytes <= most_memory && before.size().pixels() <= most_pixels)
    read(path, {}, before.size());
}

}  // namespace gramflow
