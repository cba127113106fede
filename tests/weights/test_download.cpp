// One file from a web server, however it behaves.
#include <doctest/doctest.h>

#include <cstdlib>

#include "framework/base/error.h"
#include "nodes/fetch/download.h"
#include "nodes/fetch/download_line.h"
#include "nodes/fetch/transfer_file.h"
#include "tests/weights/support.h"
#include "tests/weights/web_server.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

std::string long_text() {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i) + " ";
  return text;
}

struct Fetch {
  TemporaryFolder folder;
  std::string body = long_text();
  std::string file = folder / "w.part";
  void get(const std::string& url) const { download({url, file, {}, 3, 0.01, 5}); }
  std::string refused(const std::string& url) const {
    return message_of<MissingResource>([&] { get(url); });
  }
  bool arrived() const { return get_bytes(file) == body; }
};

}  // namespace

TEST_CASE("a file arrives") {
  const Fetch fetch;
  const WebServer server([&](const WebRequest& request) { return web_file(request, fetch.body); });
  fetch.get(server.url("/w"));
  CHECK(fetch.arrived());
  CHECK(server.requests().size() == 1);
}

TEST_CASE("redirects are followed, but not in circles") {
  const Fetch fetch;
  const WebServer server([&](const WebRequest& request) {
    if (request.path == "/old") return web_answer("302 Found", "moved", "Location: /new\r\n");
    if (request.path == "/circle")
      return web_answer("301 Moved Permanently", "moved", "Location: /circle\r\n");
    return web_file(request, fetch.body);
  });
  fetch.get(server.url("/old"));
  CHECK(fetch.arrived());
  CHECK(server.requests()[1].path == "/new");
  const Fetch other;
  CHECK(contains(other.refused(server.url("/circle")), "redirects"));
}

TEST_CASE("a connection that drops half-way is gone on with where it broke") {
  const Fetch fetch;
  const WebServer server([&](const WebRequest& request) {
    const std::string answer = web_file(request, fetch.body);
    return request.count < 4 ? dropped(answer, 20000) : answer;
  });
  fetch.get(server.url("/w"));
  CHECK(fetch.arrived());
  CHECK(server.requests()[1].range_from == 20000);
  CHECK(server.requests()[4].range_from == 80000);
}

TEST_CASE("an interrupted download is gone on with by the next one") {
  const Fetch fetch;
  put_bytes(fetch.file, fetch.body.substr(0, 5000));
  const WebServer server([&](const WebRequest& request) { return web_file(request, fetch.body); });
  fetch.get(server.url("/w"));
  CHECK(fetch.arrived());
  CHECK(server.requests()[0].range_from == 5000);
}

TEST_CASE("a server that cannot resume sends everything again") {
  const Fetch fetch;
  put_bytes(fetch.file, "something else");
  const WebServer server([&](const WebRequest&) { return web_answer("200 OK", fetch.body); });
  fetch.get(server.url("/w"));
  CHECK(fetch.arrived());
}

TEST_CASE("a server that resumes at the wrong place is asked again from the start") {
  const Fetch fetch;
  put_bytes(fetch.file, fetch.body.substr(0, 5000));
  const WebServer server([&](const WebRequest& request) {
    if (!request.range_from) return web_file(request, fetch.body);
    return web_answer("206 Partial Content", fetch.body.substr(100), "Content-Range: bytes 100-9/10\r\n");
  });
  fetch.get(server.url("/w"));
  CHECK(fetch.arrived());
}

TEST_CASE("a file that is complete already stays; one that is too long starts over") {
  const Fetch fetch;
  const WebServer server([&](const WebRequest& request) { return web_file(request, fetch.body); });
  put_bytes(fetch.file, fetch.body);
  fetch.get(server.url("/w"));
  CHECK(server.requests().size() == 1);
  put_bytes(fetch.file, fetch.body + "more");
  fetch.get(server.url("/w"));
  CHECK(fetch.arrived());
}

TEST_CASE("404 is final: asked once, nothing left behind") {
  const Fetch fetch;
  const WebServer server(
      [](const WebRequest&) { return web_answer("404 Not Found", "<html>nothing here</html>"); });
  const std::string message = fetch.refused(server.url("/w"));
  CHECK(
      contains(message, server.url("/w") + " could not be downloaded: the server answered 404 (not found)"));
  CHECK(server.requests().size() == 1);
  CHECK(fetch.folder.names().empty());
}

TEST_CASE("500 is tried again, and may pass") {
  const Fetch fetch;
  const WebServer server([&](const WebRequest& request) {
    return request.count < 2 ? web_answer("503 Busy", "later") : web_file(request, fetch.body);
  });
  fetch.get(server.url("/w"));
  CHECK(fetch.arrived());
}

TEST_CASE("500 for ever is given up") {
  const Fetch fetch;
  const WebServer server([](const WebRequest&) { return web_answer("500 Oh No", "<html>broken</html>"); });
  CHECK(contains(fetch.refused(server.url("/w")), "the server answered 500"));
  CHECK(server.requests().size() == 3);
  CHECK(fetch.folder.names().empty());
}

TEST_CASE("an error page does not end up in what has arrived") {
  const Fetch fetch;
  const WebServer server([&](const WebRequest& request) {
    return request.count == 0 ? dropped(web_file(request, fetch.body), 3000)
                              : web_answer("500 Oh No", "<html>");
  });
  const std::string message = fetch.refused(server.url("/w"));
  CHECK(contains(message, "the same command again goes on from there"));
  CHECK(get_bytes(fetch.file) == fetch.body.substr(0, 3000));
}

TEST_CASE("nobody listens") {
  const Fetch fetch;
  std::string url;
  {
    const WebServer gone([](const WebRequest&) { return ""; });
    url = gone.url("/w");
  }
  CHECK(contains(fetch.refused(url), url + " could not be downloaded: "));
  CHECK(fetch.folder.names().empty());
}

TEST_CASE("only web addresses are fetched, also after a redirect") {
  const Fetch fetch;
  put_bytes(fetch.folder / "secret", "x");
  CHECK(contains(fetch.refused("file://" + fetch.folder / "secret"), "could not be downloaded"));
  const std::string location = "Location: file://" + fetch.folder / "secret" + "\r\n";
  const WebServer server([&](const WebRequest&) { return web_answer("302 Found", "", location); });
  CHECK(contains(fetch.refused(server.url("/w")), "could not be downloaded"));
}

TEST_CASE("the proxy of the environment is used") {
  const Fetch fetch;
  const WebServer proxy([&](const WebRequest& request) { return web_file(request, fetch.body); });
  ::setenv("http_proxy", proxy.proxy().c_str(), 1);
  fetch.get("http://weights.invalid/w");
  ::unsetenv("http_proxy");
  CHECK(fetch.arrived());
  CHECK(proxy.requests()[0].path == "http://weights.invalid/w");
}

TEST_CASE("two downloads of one file at a time are one too many") {
  const Fetch fetch;
  const TransferFile busy(fetch.file);
  const auto second = [&] { TransferFile file(fetch.file); };
  CHECK(contains(message_of<RunError>(second), "is being downloaded by another process"));
}

TEST_CASE("a folder that cannot be written is told before anything is asked for") {
  const Fetch fetch;
  const WebServer server([&](const WebRequest& request) { return web_file(request, fetch.body); });
  const auto get = [&] { download({server.url("/w"), "/proc/nowhere/w.part", {}, 1, 0, 5}); };
  CHECK(contains(message_of<RunError>(get), "cannot be written"));
  CHECK(server.requests().empty());
}

TEST_CASE("progress counts what was there before, and knows the whole") {
  const Fetch fetch;
  put_bytes(fetch.file, fetch.body.substr(0, 5000));
  const WebServer server([&](const WebRequest& request) { return web_file(request, fetch.body); });
  DownloadProgress last;
  download(
      {server.url("/w"), fetch.file, [&](const DownloadProgress& progress) { last = progress; }, 3, 0.01, 5});
  CHECK(last.done == fetch.body.size());
  CHECK(last.total == fetch.body.size());
}

TEST_CASE("the progress line") {
  const DownloadProgress half{50 << 20, 100 << 20};
  CHECK(progress_line(half, 10, 20 << 20) ==
        "[##########----------]  50 %  50.0 MiB of 100 MiB  2.0 MiB/s  25 s left");
  CHECK(progress_line({5 << 20, 0}, 0, 0) == "5.0 MiB");
  CHECK(progress_line({0, 100}, 0, 0) == "[--------------------]   0 %  0 B of 100 B");
}
