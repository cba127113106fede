#include "tests/weights/web_server.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace gramflow::test {

WebServer::WebServer(std::function<std::string(const WebRequest&)> answer) : answer_(std::move(answer)) {
  ::setenv("no_proxy", "127.0.0.1", 1);  // whatever proxy this machine uses for the world
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::socklen_t size = sizeof address;
  REQUIRE(::bind(listener_, reinterpret_cast<::sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(listener_, 8) == 0);
  REQUIRE(::getsockname(listener_, reinterpret_cast<::sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

WebServer::~WebServer() {
  stop_ = true;
  thread_.join();
  ::close(listener_);
}

std::string WebServer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

std::vector<WebRequest> WebServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void WebServer::serve() {
  while (!stop_) {
    ::pollfd wait{listener_, POLLIN, 0};
    if (::poll(&wait, 1, 20) <= 0) continue;
    const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    std::string head;
    char buffer[4096];
    while (head.find("\r\n\r\n") == std::string::npos) {
      const ::ssize_t got = ::recv(connection, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      head.append(buffer, static_cast<std::size_t>(got));
    }
    WebRequest request;
    const std::size_t begin = head.find(' ') + 1;
    request.path = head.substr(begin, head.find(' ', begin) - begin);
    if (const std::size_t range = head.find("Range: bytes="); range != std::string::npos)
      request.range_from = std::strtoull(head.c_str() + range + 13, nullptr, 10);
    {
      const std::lock_guard lock(mutex_);
      request.count = static_cast<int>(requests_.size());
      requests_.push_back(request);
    }
    const std::string bytes = answer_(request);
    for (std::size_t sent = 0; sent < bytes.size();) {
      const ::ssize_t now = ::send(connection, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (now <= 0) break;
      sent += static_cast<std::size_t>(now);
    }
    ::close(connection);
  }
}

std::string web_answer(const std::string& status, const std::string& body, const std::string& headers) {
  return "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

std::string web_file(const WebRequest& request, const std::string& body) {
  if (!request.range_from) return web_answer("200 OK", body);
  const std::string size = std::to_string(body.size());
  if (*request.range_from >= body.size())
    return web_answer("416 Range Not Satisfiable", "", "Content-Range: bytes */" + size + "\r\n");
  const std::string range =
      std::to_string(*request.range_from) + "-" + std::to_string(body.size() - 1) + "/" + size;
  return web_answer("206 Partial Content", body.substr(*request.range_from),
                    "Content-Range: bytes " + range + "\r\n");
}

std::string dropped(const std::string& answer, std::size_t part) {
  return answer.substr(0, answer.find("\r\n\r\n") + 4 + part);
}

}  // namespace gramflow::test
