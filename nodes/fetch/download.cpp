// A try asks for everything behind what is on the disk. 206 with the right start: append. 200: the server
// sends the whole, so the file starts over. 416: it is complete, or was another file. Anything else writes
// nothing. Tries are repeated as long as they bring new bytes, and a few times when they do not: servers and
// networks have their moments.
#include "nodes/fetch/download.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include "framework/base/error.h"
#include "framework/base/text.h"
#include "nodes/fetch/transfer_file.h"

namespace gramflow {
namespace {

/// One connection.
class Transfer {
 public:
  Transfer(const DownloadOptions& options, TransferFile& file)
      : options_(options), file_(file), begin_(file.size()) {}

  enum class Outcome { complete, again, start_over, failed };

  Outcome run() {
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
    if (!curl) throw RunError("libcurl cannot be used");
    curl_ = curl.get();
    configure();
    const CURLcode code = curl_easy_perform(curl_);
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    if (!file_.problem().empty()) throw RunError(file_.problem());
    return judge(code, status);
  }

  /// What comes in drops would come for ever.
  bool too_slow() const { return too_slow_; }
  /// Why it did not end well.
  const std::string& reason() const { return reason_; }

 private:
  void configure() {
    const bool secure = options_.url.starts_with("https:");
    curl_easy_setopt(curl_, CURLOPT_URL, options_.url.c_str());
    curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "https,http");
    curl_easy_setopt(curl_, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "https,http");
    curl_easy_setopt(curl_, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(curl_, CURLOPT_MAXREDIRS, 10L);
    curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT, 20L);
    curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_LIMIT, 1024L);
    curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.stalled_seconds));
    curl_easy_setopt(curl_, CURLOPT_USERAGENT, "gramflow/" GRAMFLOW_VERSION);
    curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, error_);
    if (begin_ > 0) curl_easy_setopt(curl_, CURLOPT_RANGE, fmt::format("{}-", begin_).c_str());
    curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    curl_easy_setopt(curl_, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    curl_easy_setopt(curl_, CURLOPT_WRITEDATA, this);
  }

  static std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* self) {
    static_cast<Transfer*>(self)->read_header(std::string(bytes, size * count));
    return size * count;
  }
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
    // No exception may pass through a C library.
    try {
      return static_cast<Transfer*>(self)->take(bytes, size * count) ? size * count : CURL_WRITEFUNC_ERROR;
    } catch (const std::exception&) {
      return CURL_WRITEFUNC_ERROR;
    }
  }

  void read_header(std::string line) {
    for (char& c : line) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (line.starts_with("http/")) {  // a redirect starts over
      range_begin_ = 0;
      total_ = 0;
    }
    const auto number = [&](std::size_t at) { return std::strtoull(line.c_str() + at, nullptr, 10); };
    if (line.starts_with("content-length:")) length_ = number(15);
    if (line.starts_with("content-range: bytes ") && line.find('/') != std::string::npos) {
      range_begin_ = number(21);
      total_ = number(line.find('/') + 1);
    }
  }

  bool take(const char* bytes, std::size_t count) {
    if (!started_ && !start()) return false;
    if (!keep_) return true;  // the body of an error message
    if (total_ > options_.largest || file_.size() + count > options_.largest) {
      reason_ =
          "it is larger than " + human_bytes(options_.largest) + ", which no weights of this network are";
      hopeless_ = true;
      return false;
    }
    if (!file_.append(bytes, count)) return false;
    tell_progress();
    return true;
  }

  /// At the first bytes: what are they?
  bool start() {
    started_ = true;
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    keep_ = status == 200 || status == 206;
    if (status == 206 && range_begin_ != begin_) {
      reason_ = "the server sent another part than was asked for";
      mixed_up_ = true;
      return false;
    }
    if (status == 200) {
      file_.clear();
      total_ = length_;
    }
    return true;
  }

  void tell_progress() {
    const auto now = std::chrono::steady_clock::now();
    if (!options_.progress || (now - told_ < std::chrono::milliseconds(200) && file_.size() != total_))
      return;
    told_ = now;
    options_.progress({file_.size(), total_});
  }

  Outcome judge(CURLcode code, long status) {
    if (mixed_up_) return Outcome::start_over;
    if (hopeless_) return Outcome::failed;
    if (status == 416 && code == CURLE_OK)  // nothing behind what we have
      return total_ > 0 && file_.size() == total_ ? Outcome::complete : Outcome::start_over;
    if (code != CURLE_OK) {
      too_slow_ = code == CURLE_OPERATION_TIMEDOUT;
      reason_ = error_[0] != '\0' ? error_ : curl_easy_strerror(code);
      if (file_.size() > 0) reason_ += fmt::format("; {} have arrived", human_bytes(file_.size()));
      const bool pointless = code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT ||
                             code == CURLE_TOO_MANY_REDIRECTS || code == CURLE_PEER_FAILED_VERIFICATION;
      return pointless ? Outcome::failed : Outcome::again;
    }
    if (status == 200 || status == 206) {
      if (status == 200 && !started_) file_.clear();  // a whole answer of no bytes
      return Outcome::complete;
    }
    reason_ = fmt::format("the server answered {}{}", status, status == 404 ? " (not found)" : "");
    const bool passing = status == 408 || status == 429 || status >= 500;
    return passing ? Outcome::again : Outcome::failed;
  }

  const DownloadOptions& options_;
  TransferFile& file_;
  const std::uint64_t begin_;
  CURL* curl_ = nullptr;
  char error_[CURL_ERROR_SIZE] = {};
  std::uint64_t range_begin_ = 0;
  std::uint64_t length_ = 0;
  std::uint64_t total_ = 0;
  bool started_ = false;
  bool keep_ = false;
  bool mixed_up_ = false;
  bool hopeless_ = false;
  bool too_slow_ = false;
  std::string reason_;
  std::chrono::steady_clock::time_point told_;
};

[[noreturn]] void give_up(const DownloadOptions& options, const TransferFile& file,
                          const std::string& reason) {
  std::string message = fmt::format("{} could not be downloaded: {}", options.url, reason);
  if (file.size() > 0) message += "\n  the same command again goes on from there";
  throw MissingResource(message);
}

}  // namespace

void download(const DownloadOptions& options) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  TransferFile file(options.file);
  double pause = options.pause_seconds;
  bool started_over = false;
  for (int tries = 0;;) {
    const std::uint64_t before = file.size();
    Transfer transfer(options, file);
    switch (transfer.run()) {
      case Transfer::Outcome::complete:
        return;
      case Transfer::Outcome::failed:
        give_up(options, file, transfer.reason());
      case Transfer::Outcome::start_over:
        if (started_over) give_up(options, file, "the server cannot make up its mind which bytes to send");
        started_over = true;
        file.clear();
        continue;
      case Transfer::Outcome::again:
        break;
    }
    if (file.size() > before && !transfer.too_slow()) {
      tries = 0;
      pause = options.pause_seconds;
    }
    if (++tries >= options.tries) give_up(options, file, transfer.reason());
    std::this_thread::sleep_for(std::chrono::duration<double>(pause));
    pause *= 2;
  }
}

}  // namespace gramflow
