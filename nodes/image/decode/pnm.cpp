// Netpbm's formats and PFM, by ourselves: a header of words, then samples as text or bytes. Any maximum is
// honoured exactly, digits of text bitmaps may stand without blanks, comments may stand between the words of
// a header.
//   P1 P4 bitmaps (1 is black)   P2 P5 grey   P3 P6 colour   P7 any of these, with or without alpha (PAM)
//   Pf PF grey and colour floats, from the bottom row up
#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <map>

#include "nodes/image/decode/byte_reader.h"

namespace gramflow::decode {
namespace {

class PnmDecoder final : public Decoder {
 public:
  explicit PnmDecoder(Bytes bytes) : file_(bytes), bytes_(bytes) {
    const char kind = static_cast<char>(file_.u8(1));
    at_ = 2;
    if (kind == '7')
      read_pam_header();
    else
      read_header(kind);
    header_.channels = header_.samples();
    if (header_.width < 1 || header_.height < 1) return;
    if (text_) {
      if (bytes_.size() - at_ < row_samples()) throw Damaged("it ends early");
    } else {
      row_bytes_ = bitmap_ ? (row_samples() + 7) / 8 : row_samples() * (floats_ ? 4 : wide() ? 2 : 1);
      const auto height = static_cast<std::uint64_t>(header_.height);
      if (row_bytes_ > bytes_.size() || height > (bytes_.size() - at_) / row_bytes_)
        throw Damaged("it ends early");
    }
  }

  void read_row(float* out) override {
    const std::size_t count = row_samples();
    if (text_) {
      for (std::size_t i = 0; i < count; ++i)
        out[i] = bitmap_ ? 1 - static_cast<float>(text_bit()) : sample(number("a sample"));
      return;
    }
    const std::int64_t line = floats_ ? header_.height - 1 - next_row_ : next_row_;
    ++next_row_;
    const ByteReader row(file_.part(at_ + static_cast<std::uint64_t>(line) * row_bytes_, row_bytes_),
                         big_endian_);
    for (std::size_t i = 0; i < count; ++i) {
      if (bitmap_)
        out[i] = 1 - static_cast<float>(row.u8(i / 8) >> (7 - i % 8) & 1);
      else if (floats_)
        out[i] = std::bit_cast<float>(row.u32(i * 4));
      else
        out[i] = sample(wide() ? row.u16(i * 2) : row.u8(i));
    }
  }

 private:
  std::size_t row_samples() const {
    return static_cast<std::size_t>(header_.width) * static_cast<std::size_t>(header_.samples());
  }
  bool wide() const { return most_ > 255; }
  float sample(std::uint64_t value) const {
    if (value > most_)
      throw Damaged("a sample is " + std::to_string(value) + ", above its maximum of " +
                    std::to_string(most_));
    if (most_ == 255) return unit8(static_cast<unsigned>(value));
    if (most_ == 65535) return unit16(static_cast<unsigned>(value));
    return static_cast<float>(static_cast<double>(value) / static_cast<double>(most_));
  }

  static bool is_blank(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
  void skip_blanks() {
    while (at_ < bytes_.size() && (is_blank(bytes_[at_]) || bytes_[at_] == '#'))
      if (bytes_[at_++] == '#')
        while (at_ < bytes_.size() && bytes_[at_] != '\n' && bytes_[at_] != '\r') ++at_;
  }
  std::string word() {
    skip_blanks();
    std::string found;
    while (at_ < bytes_.size() && !is_blank(bytes_[at_]) && found.size() < 64)
      found += static_cast<char>(bytes_[at_++]);
    return found;
  }
  std::uint64_t number(const std::string& what) {
    const std::string text = word();
    if (text.empty()) throw Damaged("it ends early");
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > 0x7FFFFFFF)
      throw Damaged(what + " is '" + text + "', not a whole number");
    return value;
  }
  int text_bit() {
    skip_blanks();
    const unsigned char digit = file_.u8(at_++);
    if (digit != '0' && digit != '1') throw Damaged("a bitmap holds something other than 0 and 1");
    return digit - '0';
  }
  void read_maximum() {
    most_ = number("its maximum");
    if (most_ < 1 || most_ > 65535)
      throw Damaged("its maximum is " + std::to_string(most_) + "; expected 1 to 65535");
    header_.bits = wide() ? 16 : 8;
  }

  void read_header(char kind) {
    text_ = kind >= '1' && kind <= '3';
    bitmap_ = kind == '1' || kind == '4';
    floats_ = kind == 'f' || kind == 'F';
    header_.model = kind == '3' || kind == '6' || kind == 'F' ? ColourModel::rgb : ColourModel::grey;
    header_.width = static_cast<std::int64_t>(number("its width"));
    header_.height = static_cast<std::int64_t>(number("its height"));
    if (floats_) {
      const std::string text = word();
      double scale = 0;
      if (std::from_chars(text.data(), text.data() + text.size(), scale).ec != std::errc() || scale == 0 ||
          !std::isfinite(scale))
        throw Damaged("its scale is '" + text + "', not a number");
      big_endian_ = scale > 0;
      header_.floating = true;
      header_.bits = 32;
    } else if (!bitmap_) {
      read_maximum();
    }
    if (!text_) ++at_;  // one blank
  }

  void read_pam_header() {
    std::uint64_t depth = 0;
    std::string kind;
    for (std::string key = word(); key != "ENDHDR"; key = word()) {
      if (key == "WIDTH") {
        header_.width = static_cast<std::int64_t>(number("its width"));
      } else if (key == "HEIGHT") {
        header_.height = static_cast<std::int64_t>(number("its height"));
      } else if (key == "DEPTH") {
        depth = number("its depth");
      } else if (key == "MAXVAL") {
        read_maximum();
      } else if (key == "TUPLTYPE") {
        kind = word();
      } else {
        throw Damaged("its header says '" + key + "'");
      }
    }
    ++at_;
    const std::map<std::uint64_t, std::pair<ColourModel, bool>> known = {{1, {ColourModel::grey, false}},
                                                                         {2, {ColourModel::grey, true}},
                                                                         {3, {ColourModel::rgb, false}},
                                                                         {4, {ColourModel::rgb, true}}};
    const auto found = known.find(depth);
    const bool usual = kind.empty() || kind == "BLACKANDWHITE" || kind == "GRAYSCALE" || kind == "RGB" ||
                       kind == "BLACKANDWHITE_ALPHA" || kind == "GRAYSCALE_ALPHA" || kind == "RGB_ALPHA";
    if (found == known.end() || !usual)
      throw NotRead(
          "a PAM of " + std::to_string(depth) + " channels" + (kind.empty() ? "" : " called " + kind),
          "convert it with another program to PNG");
    std::tie(header_.model, header_.alpha) = found->second;
  }

  ByteReader file_;
  Bytes bytes_;
  std::size_t at_ = 0;
  bool text_ = false;
  bool bitmap_ = false;
  bool floats_ = false;
  bool big_endian_ = true;
  std::uint64_t most_ = 1;
  std::uint64_t row_bytes_ = 0;
  std::int64_t next_row_ = 0;
};

}  // namespace

std::unique_ptr<Decoder> open_pnm(Bytes bytes) { return std::make_unique<PnmDecoder>(bytes); }

}  // namespace gramflow::decode
