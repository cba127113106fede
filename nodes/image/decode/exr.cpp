// OpenEXR through its own library. Colour channels are found by name, as files of renderers need: R, G, B
// alone, or the first layer that has all three ("beauty.R"), or brightness, or the first channel as grey. The
// library turns half into float and tiles into rows. The data window is judged before the library sees the
// file, because it asks for tables of that size while opening.
#include <ImfAttribute.h>
#include <ImfChannelList.h>
#include <ImfChromaticitiesAttribute.h>
#include <ImfFrameBuffer.h>
#include <ImfHeader.h>
#include <ImfIO.h>
#include <ImfInputPart.h>
#include <ImfIntAttribute.h>
#include <ImfMultiPartInputFile.h>
#include <ImfPartType.h>
#include <ImfStringAttribute.h>
#include <ImfThreading.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "nodes/image/decode/byte_reader.h"

namespace gramflow::decode {
namespace {

class MemoryStream final : public Imf::IStream {
 public:
  explicit MemoryStream(Bytes bytes) : Imf::IStream("picture"), bytes_(bytes) {}
  bool read(char* to, int count) override {
    if (count < 0 ||
        static_cast<std::size_t>(count) > bytes_.size() - std::min<std::size_t>(at_, bytes_.size()))
      throw Damaged("it ends early");
    std::memcpy(to, bytes_.data() + at_, static_cast<std::size_t>(count));
    at_ += static_cast<std::size_t>(count);
    return at_ < bytes_.size();
  }
  std::uint64_t tellg() override { return at_; }
  void seekg(std::uint64_t at) override { at_ = static_cast<std::size_t>(at); }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

class ExrDecoder final : public Decoder {
 public:
  explicit ExrDecoder(Bytes bytes) : stream_(bytes) {
    Imf::setGlobalThreadCount(0);
    try {
      judge_window(bytes);
      file_ = std::make_unique<Imf::MultiPartInputFile>(stream_, 0, false);
      open();
    } catch (const Damaged&) {
      throw;
    } catch (const NotRead&) {
      throw;
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& e) {
      throw Damaged(e.what());
    }
  }

  void read_row(float* out) override {
    try {
      read(out);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& e) {
      throw Damaged(e.what());
    }
  }

 private:
  // The first part's dataWindow attribute: name, type, length, four numbers.
  void judge_window(Bytes bytes) {
    const ByteReader read(bytes);
    std::uint64_t at = 8;
    const auto text = [&] {
      std::string found;
      while (read.u8(at) != 0 && found.size() < 256) found += static_cast<char>(read.u8(at++));
      ++at;
      return found;
    };
    for (std::string name = text(); !name.empty(); name = text()) {
      text();
      const std::uint64_t length = read.u32(at);
      at += 4;
      if (name == "dataWindow" && length == 16) {
        header_.width = std::int64_t{read.i32(at + 8)} - read.i32(at) + 1;
        header_.height = std::int64_t{read.i32(at + 12)} - read.i32(at + 4) + 1;
        if (header_.width < 1 || header_.height < 1) throw Damaged("its data window is empty");
        // Each block of at most 256 rows has its place in a table of 8 bytes.
        if (header_.width > (std::int64_t{1} << 30) / header_.height ||
            bytes.size() < static_cast<std::uint64_t>(header_.height) / 32)
          throw Damaged("its data window is " + std::to_string(header_.width) + "x" +
                        std::to_string(header_.height) + ", more than it can hold");
      }
      at += length;
    }
  }

  void open() {
    if (file_->parts() < 1) throw Damaged("it holds no picture");
    const Imf::Header& header = file_->header(0);
    if (header.hasType() && (header.type() == Imf::DEEPSCANLINE || header.type() == Imf::DEEPTILE))
      throw NotRead("a deep OpenEXR (many samples a pixel)",
                    "flatten it with another program to an ordinary OpenEXR");
    const Imath::Box2i& window = header.dataWindow();
    left_ = window.min.x;
    top_ = window.min.y;
    header_.width = std::int64_t{window.max.x} - window.min.x + 1;
    header_.height = std::int64_t{window.max.y} - window.min.y + 1;
    header_.floating = true;
    choose_channels(header.channels());
    read_metadata(header);
    part_ = std::make_unique<Imf::InputPart>(*file_, 0);
    rows_.resize(0);
    std::size_t all = 0;
    for (auto c = header.channels().begin(); c != header.channels().end(); ++c)
      all += c.channel().type == Imf::HALF ? 2 : 4;
    // A block of up to 256 rows (DWAB), packed and unpacked; for tiles, a row of them.
    const std::size_t block_rows = header.compression() == Imf::DWAB_COMPRESSION  ? 256
                                   : header.compression() >= Imf::PIZ_COMPRESSION ? 32
                                                                                  : 16;
    const std::size_t lines = header.hasTileDescription() ? header.tileDescription().ySize : block_rows;
    const auto width = static_cast<std::size_t>(header_.width);
    header_.working_bytes = width * all * lines * 3 + width * names_.size() * 4 * portion;
  }

  bool choose_colour(const Imf::ChannelList& channels, const std::string& layer) {
    std::vector<std::string> found(4);
    constexpr std::array<std::array<const char*, 2>, 4> wanted = {
        {{"r", "red"}, {"g", "green"}, {"b", "blue"}, {"a", "alpha"}}};
    for (auto c = channels.begin(); c != channels.end(); ++c) {
      const std::string name = lower(c.name());
      for (std::size_t i = 0; i < wanted.size(); ++i)
        for (const char* word : wanted[i])
          if (found[i].empty() && name == lower(layer) + word) found[i] = c.name();
    }
    if (found[0].empty() || found[1].empty() || found[2].empty()) return false;
    header_.alpha = !found[3].empty();
    if (!header_.alpha) found.pop_back();
    names_ = found;
    header_.model = ColourModel::rgb;
    return true;
  }

  void choose_channels(const Imf::ChannelList& channels) {
    int count = 0;
    std::string grey;
    std::string alpha;
    bool found = choose_colour(channels, "");
    for (auto c = channels.begin(); c != channels.end(); ++c, ++count) {
      const std::string name = c.name();
      const std::size_t dot = name.rfind('.');
      if (!found && dot != std::string::npos) found = choose_colour(channels, name.substr(0, dot + 1));
      if (grey.empty() || name == "Y" || name == "y") grey = name;
      if (lower(name) == "a" || lower(name) == "alpha") alpha = name;
    }
    if (count == 0) throw Damaged("it has no channels");
    header_.channels = count;
    if (!found) {
      header_.model = ColourModel::grey;
      header_.alpha = !alpha.empty() && alpha != grey;
      names_ = {grey};
      if (header_.alpha) names_.push_back(alpha);
    }
    header_.premultiplied = header_.alpha;
    header_.bits = 16;
    for (const std::string& name : names_) {
      const Imf::Channel& channel = channels[name];
      if (channel.xSampling != 1 || channel.ySampling != 1)
        throw NotRead("an OpenEXR whose channel " + name + " has fewer pixels than the picture",
                      "save it with full channels");
      if (channel.type == Imf::UINT)
        throw NotRead("an OpenEXR of whole numbers", "save its channels as half or float");
      if (channel.type == Imf::FLOAT) header_.bits = 32;
    }
    if (count > header_.samples())
      header_.notes.emplace_back(found ? "channels other than red, green and blue are left out"
                                       : "only its first or brightness channel is read, as grey");
  }

  void read_metadata(const Imf::Header& header) {
    const auto text = [&](const char* name) -> std::string {
      const auto* attribute = header.findTypedAttribute<Imf::StringAttribute>(name);
      return attribute == nullptr ? "" : attribute->value();
    };
    header_.software = text("Software");
    header_.description = text("comments");
    if (header_.software.empty()) header_.software = text("software");
    if (header_.description.empty()) header_.description = text("ImageDescription");
    const auto* turned = header.findTypedAttribute<Imf::IntAttribute>("Orientation");
    if (turned != nullptr && turned->value() >= 1 && turned->value() <= 8)
      header_.orientation = turned->value();
    const auto* colours = header.findTypedAttribute<Imf::ChromaticitiesAttribute>("chromaticities");
    if (colours != nullptr) {
      const Imf::Chromaticities& c = colours->value();
      header_.has_primaries = true;
      header_.primaries = {{c.white.x, c.white.y, c.red.x, c.red.y, c.green.x, c.green.y, c.blue.x, c.blue.y},
                           1};
    }
  }

  // Rows are asked for in portions, so that a row of tiles is not decoded once a row.
  void read(float* out) {
    const auto width = static_cast<std::size_t>(header_.width);
    const std::size_t row = width * names_.size();
    if (next_row_ % portion == 0) {
      const int count = static_cast<int>(std::min<std::int64_t>(portion, header_.height - next_row_));
      rows_.resize(row * static_cast<std::size_t>(count));
      const int y = top_ + static_cast<int>(next_row_);
      Imf::FrameBuffer frame;
      const std::size_t pixel_bytes = names_.size() * sizeof(float);
      for (std::size_t c = 0; c < names_.size(); ++c)
        frame.insert(
            names_[c],
            Imf::Slice::Make(Imf::FLOAT, rows_.data() + c,
                             Imath::Box2i({left_, y}, {left_ + static_cast<int>(width) - 1, y + count - 1}),
                             pixel_bytes, row * sizeof(float)));
      part_->setFrameBuffer(frame);
      part_->readPixels(y, y + count - 1);
    }
    std::copy_n(rows_.data() + static_cast<std::size_t>(next_row_ % portion) * row, row, out);
    ++next_row_;
  }

  static constexpr std::int64_t portion = 64;
  MemoryStream stream_;
  std::unique_ptr<Imf::MultiPartInputFile> file_;
  std::unique_ptr<Imf::InputPart> part_;
  std::vector<std::string> names_;
  int left_ = 0;
  int top_ = 0;
  std::vector<float> rows_;
  std::int64_t next_row_ = 0;
};

}  // namespace

std::unique_ptr<Decoder> open_exr(Bytes bytes) { return std::make_unique<ExrDecoder>(bytes); }

}  // namespace gramflow::decode
