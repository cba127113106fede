// Nothing that came from outside lies where a run looks before it is verified and converted: a download grows
// in the cache's folder "downloads" under the name of its address, and what is installed is written beside
// and renamed.
#include "nodes/fetch/get_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "nodes/import/import_weights.h"
#include "nodes/networks/weights.h"
#include "nodes/weights/checksum.h"

namespace gramflow {
namespace fs = std::filesystem;
namespace {

bool is_address(const std::string& from) {
  return from.starts_with("http://") || from.starts_with("https://");
}

/// The address's last part, made of harmless characters.
std::string file_name(const std::string& url) {
  std::string name = url.substr(0, url.find_first_of("?#"));
  name = name.substr(name.rfind('/') + 1);
  for (char& c : name) {
    const bool harmless = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          c == '-' || c == '_' || c == '.';
    if (!harmless) c = '_';
  }
  return name.empty() || name[0] == '.' ? "weights" + name : name;
}

bool matches(const NetworkDownload& known, const Checksums& found) {
  const bool sha = !known.sha256_prefix.empty() && found.sha256.starts_with(known.sha256_prefix);
  const bool md5 = !known.md5.empty() && found.md5 == known.md5;
  return (known.sha256_prefix.empty() || sha) && (known.md5.empty() || md5) && (sha || md5);
}

std::string expected_text(const NetworkDownload& known) {
  std::vector<std::string> parts;
  if (!known.sha256_prefix.empty()) parts.push_back(fmt::format("SHA-256 {}...", known.sha256_prefix));
  if (!known.md5.empty()) parts.push_back("MD5 " + known.md5);
  return fmt::format("{}", fmt::join(parts, ", "));
}

class Getter {
 public:
  Getter(const GetOptions& options, const NetworkPaths& paths) : options_(options), paths_(paths) {}

  std::string run() {
    Diagnostics diagnostics;
    network_ = load_network(options_.network, ".", paths_, {}, diagnostics);
    if (!network_) throw InvalidPipeline(diagnostics);
    if (const auto installed = installed_file(); installed && !options_.again)
      return fmt::format("The weights of {} are installed: {}\n(--again downloads them anyway)\n",
                         network_->name, *installed);
    if (network_->downloads.empty())
      throw MissingResource(fmt::format(
          "{} names no address and no checksum for its weights\n  convert a file that you have: gramflow "
          "weights import FILE -o {}",
          network_->file, network_->weights_file));
    if (paths_.cache_folder.empty())
      throw MissingResource("there is no folder to put weights in: set HOME or XDG_CACHE_HOME");
    if (!options_.from.empty() && !is_address(options_.from)) return take_file(local_path());
    if (!options_.from.empty()) return fetch(options_.from, network_->downloads);
    return fetch_first();
  }

 private:
  std::string local_path() const {
    return options_.from.starts_with("file://") ? options_.from.substr(7) : options_.from;
  }

  std::optional<std::string> installed_file() const {
    try {
      const std::string file = locate_weights(*network_, paths_);
      check_weights(*network_, file);
      return file;
    } catch (const std::exception&) {
      return std::nullopt;  // missing, damaged or another network's: to be replaced
    }
  }

  /// The network's addresses in their order; the first that delivers wins.
  std::string fetch_first() {
    std::string problems;
    for (const NetworkDownload& known : network_->downloads) {
      try {
        return fetch(known.url, {known});
      } catch (const MissingResource& problem) {
        problems += (problems.empty() ? "" : "\n") + std::string(problem.what());
      }
    }
    throw MissingResource(problems + "\n  a mirror or a file brought by other means: gramflow weights get " +
                          network_->name + " --from URL|FILE");
  }

  std::string fetch(const std::string& url, const std::vector<NetworkDownload>& expected) {
    const std::string part =
        (fs::path(paths_.cache_folder) / "downloads" / (file_name(url) + ".part")).string();
    const auto resumed = [&] {
      std::error_code ignored;
      const auto size = fs::file_size(part, ignored);
      return !ignored && size > 0;
    };
    const bool went_on = resumed();
    receive(url, part);
    // What was on the disk may have been of another file of the same name: once more, from the start.
    if (went_on && !verify(part, expected)) {
      fs::remove(part);
      receive(url, part);
    }
    const Checksums found = file_checksums(part);
    if (!any_match(found, expected)) {
      const auto size = fs::file_size(part);
      fs::remove(part);
      throw RunError(fmt::format(
          "{} is not the file it should be; it was deleted\n  found: {}, SHA-256 {}, MD5 {}\n  expected: {}",
          url, human_bytes(size), found.sha256, found.md5, expected_list(expected)));
    }
    std::string text = install(part, url);
    std::error_code ignored;
    fs::remove(part, ignored);
    fs::remove(fs::path(part).parent_path(), ignored);  // goes only when it is empty
    return text;
  }

  void receive(const std::string& url, const std::string& part) {
    DownloadOptions download_options{url, part, {}, 4, options_.pause_seconds, 30, largest_download()};
    if (options_.progress)
      download_options.progress = [&](const DownloadProgress& progress) { options_.progress(url, progress); };
    download(download_options);
  }

  std::string take_file(const std::string& file) {
    if (!verify(file, network_->downloads)) {
      const Checksums found = file_checksums(file);
      throw RunError(fmt::format(
          "{} is none of the files that {} knows\n  found: SHA-256 {}, MD5 {}\n  expected: {}\n  if you "
          "trust it: "
          "gramflow weights import {} -o {}",
          file, network_->name, found.sha256, found.md5, expected_list(network_->downloads), file, target()));
    }
    return install(file, fs::path(file).filename().string());
  }

  static bool any_match(const Checksums& found, const std::vector<NetworkDownload>& expected) {
    return std::any_of(expected.begin(), expected.end(),
                       [&](const NetworkDownload& known) { return matches(known, found); });
  }
  static bool verify(const std::string& file, const std::vector<NetworkDownload>& expected) {
    return any_match(file_checksums(file), expected);
  }
  static std::string expected_list(const std::vector<NetworkDownload>& expected) {
    std::vector<std::string> texts;
    for (const NetworkDownload& known : expected) texts.push_back(expected_text(known));
    return join_words(texts, "or");
  }

  /// Weights files hold classifiers, too, which for VGG are seven to nine times as large as what is used here.
  std::uint64_t largest_download() const {
    constexpr std::uint64_t slack = std::uint64_t{64} << 20, factor = 16;
    std::uint64_t floats = 0;
    for (const NetworkLayer& layer : network_->layers)
      floats += static_cast<std::uint64_t>(layer.in_channels) *
                static_cast<std::uint64_t>(layer.out_channels) *
                static_cast<std::uint64_t>(layer.kernel * layer.kernel);
    return floats * sizeof(float) * factor + slack;
  }

  /// A network file of somebody's own has its weights beside it: in the cache they could take the place of another
  /// network's.
  std::string target() const {
    if (is_network_path(options_.network))
      return (fs::path(network_->file).parent_path() / fs::path(network_->weights_file).filename()).string();
    return (fs::path(paths_.cache_folder) / fs::path(network_->weights_file).filename()).string();
  }

  std::string install(const std::string& file, const std::string& source) {
    ImportOptions import;
    import.file = file;
    import.output = target();
    import.network = options_.network;
    import.half = options_.half;
    import.source = source;
    return import_weights(import, paths_).text();
  }

  const GetOptions& options_;
  const NetworkPaths& paths_;
  std::shared_ptr<const Network> network_;
};

}  // namespace

std::string get_weights(const GetOptions& options, const NetworkPaths& paths) {
  return Getter(options, paths).run();
}

}  // namespace gramflow
