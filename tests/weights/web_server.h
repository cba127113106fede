#pragma once
// A web server on this machine that misbehaves on demand.
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace gramflow::test {

struct WebRequest {
  std::string path;                         ///< "/weights.pth"; through a proxy the whole address
  std::optional<std::uint64_t> range_from;  ///< of "Range: bytes=N-"
  int count = 0;                            ///< of requests before this one
};

/// Answers every connection with the bytes that `answer` returns, then closes it: shorter than the header
/// promised is a dropped connection. `answer` runs in the server's thread.
class WebServer {
 public:
  explicit WebServer(std::function<std::string(const WebRequest&)> answer);
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  std::string url(const std::string& path) const;
  std::string proxy() const { return url(""); }
  std::vector<WebRequest> requests() const;

 private:
  void serve();
  std::function<std::string(const WebRequest&)> answer_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::vector<WebRequest> requests_;
  std::thread thread_;
};

/// "HTTP/1.1 404 Not Found", these headers, this body with its length.
std::string web_answer(const std::string& status, const std::string& body, const std::string& headers = "");
/// The body, or the asked part of it with 206, as a good server does.
std::string web_file(const WebRequest& request, const std::string& body);
/// The first `part` bytes of an answer's body: the connection drops there.
std::string dropped(const std::string& answer, std::size_t part);

}  // namespace gramflow::test
