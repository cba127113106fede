// The kinds of files with a convention: Keras's and Caffe's VGGs want BGR of 0 to 255 minus the mean,
// MatConvNet's the same as RGB, torchvision's and timm's normalised RGB. But Caffe's weights also go round
// under torchvision's names. Two things in the numbers tell them apart. Blue carries the least of what a
// picture is, so kernels learned from pictures are weakest there: the first of their input channels for BGR,
// the last for RGB. And kernels for 0 to 255 that answer with about 1 are some fifty times smaller than those
// for normalised numbers. Neither is certain, so neither decides.
#include "nodes/import/choose_convention.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <locale>
#include <sstream>

#include "framework/base/error.h"
#include "framework/base/printable.h"
#include "nodes/networks/convention_text.h"

namespace gramflow {
namespace {

enum class Kind { torchvision, caffe, caffe_rgb };

struct KnownFile {
  const char* sha256;  // its first digits
  const char* what;
  Kind kind;
};

// Publishers put the first eight digits of the SHA-256 into the name.
constexpr std::array<KnownFile, 6> known_files = {{
    {"dcbb9e9d", "torchvision's VGG-19", Kind::torchvision},
    {"397923af", "torchvision's VGG-16", Kind::torchvision},
    {"c79401a0", "torchvision's VGG-19 with batch norms", Kind::torchvision},
    {"6c64b313", "torchvision's VGG-16 with batch norms", Kind::torchvision},
    {"d01eb7cb", "Caffe's VGG-19 under torchvision's names", Kind::caffe},
    {"00b39a1b", "Caffe's VGG-16 under torchvision's names", Kind::caffe},
}};

InputConvention convention_of(Kind kind) {
  InputConvention convention = kind == Kind::torchvision ? torchvision_convention() : caffe_convention();
  if (kind == Kind::caffe_rgb) convention.order = ChannelOrder::rgb;
  return convention;
}

/// SHA-256 of the first kernel of Caffe's VGG-19 as F32, OIHW, blue first.
constexpr std::string_view caffe_vgg19_kernel =
    "f8ee325686ded00722375b5a05fd287de09be3bd3b1853cb1c5cf29996394684";

/// `first` as blue first whether or not it is red first.
std::string fingerprint(std::vector<float> first, std::int64_t channels, bool exchange) {
  if (channels <= 0 || first.size() % (3 * static_cast<std::size_t>(channels)) != 0) return "";
  const std::size_t area = first.size() / (3 * static_cast<std::size_t>(channels));
  for (std::size_t at = 0; exchange && at < first.size(); at += 3 * area)
    std::swap_ranges(first.begin() + static_cast<std::ptrdiff_t>(at),
                     first.begin() + static_cast<std::ptrdiff_t>(at + area),
                     first.begin() + static_cast<std::ptrdiff_t>(at + 2 * area));
  Digest sum(Digest::Kind::sha256);
  sum.update(first.data(), first.size() * sizeof(float));
  return sum.hex();
}

/// What the numbers of the first convolution look like.
struct Evidence {
  bool looks_bgr = false;
  bool looks_rgb = false;
  bool looks_255 = false;
};

Evidence evidence_of(const std::vector<float>& first, std::int64_t channels) {
  Evidence evidence;
  if (channels <= 0 || first.empty() || first.size() % (3 * static_cast<std::size_t>(channels)) != 0)
    return evidence;
  const std::size_t area = first.size() / (3 * static_cast<std::size_t>(channels));
  std::array<double, 3> energy{};
  for (std::size_t i = 0; i < first.size(); ++i)
    energy[i / area % 3] += static_cast<double>(first[i]) * first[i];
  const double total = energy[0] + energy[1] + energy[2];
  if (!(energy[0] > 0) || !(energy[2] > 0) || !std::isfinite(total)) return evidence;
  // How far independent numbers would scatter: 3 times that for a real network's many, more for a few.
  const auto count = static_cast<double>(static_cast<std::size_t>(channels) * area);
  const double limit = (channels >= 32 ? 2.6 : 6.0) * std::sqrt(4.0 / count);
  const double difference = std::log(energy[2] / energy[0]);
  evidence.looks_bgr = difference > limit;
  evidence.looks_rgb = difference < -limit;
  evidence.looks_255 = std::sqrt(total / static_cast<double>(first.size())) < 0.01;
  return evidence;
}

/// Names that say Caffe where the names of tensors say torchvision.
std::string caffe_in_name(const ImportOptions& options, const std::string& prefix) {
  const std::string file = std::filesystem::path(options.file).filename().string();
  for (const char* word : {"caffe", "Caffe", "d01eb7cb", "00b39a1b"}) {
    if (file.find(word) != std::string::npos) return "its name says " + std::string(word);
    if (prefix.find(word) != std::string::npos) return "the prefix says " + std::string(word);
  }
  return "";
}

[[noreturn]] void ask(const ImportOptions& options, const std::string& why) {
  throw RunError(
      fmt::format("{}: {}, and guessing wrong ruins every picture\n  say --convention torchvision, caffe or "
                  "network: normalised RGB, BGR of 0 to 255 minus the mean, or what the network's file says",
                  options.file, why));
}

}  // namespace

ChosenConvention choose_convention(const ImportOptions& options, const TensorSource& source,
                                   const TensorSet& set, const Checksums& checksums,
                                   const std::vector<float>& first, std::int64_t channels) {
  const Naming naming = set.naming;
  if (options.convention == "torchvision") return {torchvision_convention(), "as you said"};
  if (options.convention == "caffe") return {caffe_convention(), "as you said"};
  if (options.convention == "matconvnet") return {convention_of(Kind::caffe_rgb), "as you said"};
  if (options.convention == "network") return {std::nullopt, "the network's, as you said"};
  if (!options.convention.empty())
    throw RunError("--convention takes torchvision, caffe, matconvnet or network, found '" +
                   options.convention + "'");
  if (const std::string text = source.metadata("convention"); !text.empty()) {
    const auto convention = parse_convention(text);
    if (!convention)
      throw RunError(options.file + ": its metadata 'convention' cannot be understood: " + printable(text));
    return {convention, "the file says so"};
  }
  for (const KnownFile& known : known_files)
    if (checksums.sha256.starts_with(known.sha256))
      return {convention_of(known.kind), fmt::format("by its checksum it is {}", known.what)};
  for (const bool exchange : {false, true})
    if (fingerprint(first, channels, exchange) == caffe_vgg19_kernel)
      return {convention_of(exchange ? Kind::caffe_rgb : Kind::caffe),
              "its first kernels are those of Caffe's VGG-19"};
  const Evidence evidence = evidence_of(first, channels);
  const std::string caffe_name = caffe_in_name(options, set.prefix);
  if (naming == Naming::torchvision && source.format() != SourceFormat::caffe &&
      source.format() != SourceFormat::matlab) {
    if (!caffe_name.empty())
      ask(options, "the names of its tensors are torchvision's, whose weights want normalised RGB, but " +
                       caffe_name + ", whose weights want BGR of 0 to 255");
    if (evidence.looks_bgr)
      ask(options,
          "the names of its tensors are torchvision's, whose weights want normalised RGB, but its first "
          "kernels look as "
          "if their channels were blue, green and red, as Caffe's");
    if (evidence.looks_255)
      ask(options,
          "the names of its tensors are torchvision's, whose weights want normalised RGB, but its first "
          "kernels are as "
          "small as those for pictures of 0 to 255");
    return {torchvision_convention(), "as all VGGs of torchvision and timm"};
  }
  if (!source.metadata("matconvnet").empty()) {
    InputConvention convention = convention_of(Kind::caffe_rgb);
    std::istringstream said(source.metadata("mean"));
    said.imbue(std::locale::classic());
    std::array<double, 3> mean{};
    if (!(said >> mean[0] >> mean[1] >> mean[2]))
      ask(options,
          "it is MatConvNet's (RGB of 0 to 255 minus a mean: --convention matconvnet, if the mean is "
          "Caffe's), "
          "and does not say what it subtracts");
    if (evidence.looks_bgr)
      ask(options,
          "it is MatConvNet's, whose VGGs want RGB of 0 to 255 (--convention matconvnet), but its first "
          "kernels "
          "look as if their channels were blue, green and red");
    // The means of the published VGGs are those of Caffe, but for rounding.
    for (std::size_t c = 0; c < 3; ++c)
      if (std::fabs(mean[c] - convention.mean[c]) > 0.01) convention.mean[c] = mean[c];
    return {convention, "as the VGGs of MatConvNet, with the mean in the file"};
  }
  const bool keras =
      naming == Naming::keras || (naming == Naming::counted && source.format() == SourceFormat::keras);
  if (keras || source.format() == SourceFormat::caffe) {
    const std::string whose = keras ? "Keras" : "Caffe";
    if (evidence.looks_rgb)
      ask(options,
          fmt::format(
              "its kind is {}'s, whose VGGs want BGR of 0 to 255, but its first kernels look as if their "
              "channels were red, green and blue",
              whose));
    return {caffe_convention(), "as all VGGs of " + whose};
  }
  ask(options, "nothing in the file says whether it wants normalised RGB or BGR of 0 to 255");
}

std::optional<std::array<double, 3>> exact_change(const InputConvention& from, const InputConvention& to) {
  std::array<double, 3> factors{};
  for (std::size_t c = 0; c < 3; ++c) {
    // Zeros around the picture stay zeros when both subtract the same colour.
    const double shift = from.mean[c] / from.scale - to.mean[c] / to.scale;
    if (std::fabs(shift) > 1e-9) return std::nullopt;
    factors[c] = (from.scale / from.std[c]) / (to.scale / to.std[c]);
  }
  return factors;
}

}  // namespace gramflow
