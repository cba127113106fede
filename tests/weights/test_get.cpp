// From a network's address to installed weights, and everything that may happen in between.
#include <doctest/doctest.h>

#include <filesystem>

#include "framework/base/error.h"
#include "nodes/fetch/get_weights.h"
#include "nodes/networks/weights.h"
#include "nodes/weights/checksum.h"
#include "nodes/weights/safetensors.h"
#include "tests/weights/small_vgg.h"
#include "tests/weights/web_server.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

struct Get : SmallVgg {
  std::string body = torch_file();
  std::function<std::string(const WebRequest&)> answer = [this](const WebRequest& request) {
    return web_file(request, body);
  };
  WebServer server{[this](const WebRequest& request) { return answer(request); }};
  std::string installed = folder / "cache/small.safetensors";

  Get() { list_downloads({server.url("/small.pth")}); }

  /// The network file names these addresses, with the checksum of the right file.
  void list_downloads(const std::vector<std::string>& urls) {
    put_bytes(folder / "right", torch_file());
    const std::string checksum = file_checksums(folder / "right").sha256.substr(0, 8);
    std::string list = "small.safetensors, downloads: [";
    for (const std::string& url : urls) list += "{url: '" + url + "', sha256_prefix: '" + checksum + "'}, ";
    std::string yaml = get_bytes(folder / "small.yaml");
    const std::size_t begin = yaml.find("small.safetensors");
    yaml.replace(begin, yaml.find('}', yaml.find("layers") - 3) - begin, list + "]");
    put_bytes(folder / "small.yaml", yaml);
  }
  std::string run(const std::string& from = "") {
    GetOptions options;
    options.network = "small";
    options.from = from;
    options.pause_seconds = 0.01;
    return get_weights(options, paths);
  }
  template <class Error>
  std::string refused(const std::string& from = "") {
    const std::string message = message_of<Error>([&] { run(from); });
    CHECK_FALSE(message.empty());
    return message;
  }
  /// Nothing that a run would take, nor what is left of a download.
  bool nothing_left() const {
    for (const std::string& name : folder.names())
      if (name.starts_with("cache/") && name != "cache/downloads") return false;
    return true;
  }
};

}  // namespace

TEST_CASE("weights are downloaded, verified, converted and installed, and found by a run") {
  Get get;
  const std::string text = get.run();
  CHECK(contains(text, get.installed));
  CHECK(get.is_in(get.installed));
  CHECK(SafetensorsFile(get.installed).metadata().at("source") == get.server.url("/small.pth"));
  Diagnostics diagnostics;
  const auto network = load_network("small", ".", get.paths, {}, diagnostics);
  CHECK(locate_weights(*network, get.paths) == get.installed);
  check_weights(*network, get.installed);
  CHECK(get.folder.names().size() ==
        5);  // two networks, the checked file, the cache and the weights: no download
}

TEST_CASE("what is installed is not downloaded again, unless it is damaged or asked for") {
  Get get;
  get.run();
  CHECK(contains(get.run(), "are installed: " + get.installed));
  CHECK(get.server.requests().size() == 1);
  put_bytes(get.installed, "damaged");
  get.run();
  CHECK(get.is_in(get.installed));
  GetOptions options;
  options.network = "small";
  options.again = true;
  get_weights(options, get.paths);
  CHECK(get.server.requests().size() == 3);
}

TEST_CASE("a dropped connection is resumed within one command") {
  Get get;
  get.answer = [&](const WebRequest& request) {
    const std::string whole = web_file(request, get.body);
    return request.count == 0 ? dropped(whole, get.body.size() / 2) : whole;
  };
  get.run();
  CHECK(get.is_in(get.installed));
  CHECK(get.server.requests()[1].range_from == get.body.size() / 2);
}

TEST_CASE("an interrupted command installs nothing, and the next one goes on") {
  Get get;
  get.answer = [&](const WebRequest& request) {
    return request.count == 0 ? dropped(web_file(request, get.body), 700) : web_answer("500 Oh No", "");
  };
  CHECK(contains(get.refused<MissingResource>(), "goes on from there"));
  CHECK(get.folder.names().back() == "small.yaml");
  CHECK(get_bytes(get.folder / "cache/downloads/small.pth.part") == get.body.substr(0, 700));
  get.answer = [&](const WebRequest& request) { return web_file(request, get.body); };
  get.run();
  CHECK(get.server.requests().back().range_from == 700);
  CHECK(get.is_in(get.installed));
}

TEST_CASE("wrong bytes are deleted, and both checksums told") {
  Get get;
  get.body[get.body.size() / 2] ^= 1;
  const std::string message = get.refused<RunError>();
  CHECK(contains(message, "is not the file it should be; it was deleted"));
  CHECK(contains(message, "expected: SHA-256 "));
  CHECK(get.nothing_left());
}

TEST_CASE("a web page instead of the file is deleted, too") {
  Get get;
  get.body = "<html>log in first</html>";
  CHECK(contains(get.refused<RunError>(), "is not the file it should be"));
  CHECK(get.nothing_left());
}

TEST_CASE("a truncated file of a server that says no length is wrong bytes") {
  Get get;
  get.answer = [&](const WebRequest&) { return "HTTP/1.0 200 OK\r\n\r\n" + get.body.substr(0, 500); };
  CHECK(contains(get.refused<RunError>(), "is not the file it should be"));
  CHECK(get.nothing_left());
}

TEST_CASE("a part left of another file is noticed: once more from the start") {
  Get get;
  std::filesystem::create_directories(get.folder / "cache/downloads");
  put_bytes(get.folder / "cache/downloads/small.pth.part", std::string(100, 'x'));
  get.run();
  CHECK(get.is_in(get.installed));
  CHECK(get.server.requests().size() == 2);
}

TEST_CASE("the next address is tried when one fails, and all failures are told") {
  Get get;
  get.answer = [&](const WebRequest& request) {
    return request.path == "/here" ? web_file(request, get.body) : web_answer("404 Not Found", "");
  };
  get.list_downloads({get.server.url("/gone"), get.server.url("/here")});
  get.run();
  CHECK(get.is_in(get.installed));
  get.list_downloads({get.server.url("/gone"), get.server.url("/lost")});
  put_bytes(get.installed, "damaged");
  const std::string message = get.refused<MissingResource>();
  CHECK(contains(message, get.server.url("/gone") + " could not"));
  CHECK(contains(message, get.server.url("/lost") + " could not"));
  CHECK(contains(message, "gramflow weights get small --from URL|FILE"));
}

TEST_CASE("a mirror must have the very same file") {
  Get get;
  get.list_downloads({"http://127.0.0.1:1/nobody"});
  get.run(get.server.url("/mirror"));
  CHECK(get.is_in(get.installed));
  put_bytes(get.installed, "");
  get.body += "x";
  CHECK(contains(get.refused<RunError>(get.server.url("/mirror")), "is not the file it should be"));
}

TEST_CASE("a file brought by other means is verified and taken; another one is not touched") {
  Get get;
  CHECK(contains(get.run(get.folder / "right"), get.installed));
  CHECK(get.is_in(get.installed));
  CHECK(get.server.requests().empty());
  put_bytes(get.installed, "damaged");
  put_bytes(get.folder / "wrong", "x");
  const std::string message = get.refused<RunError>(get.folder / "wrong");
  CHECK(contains(message, "is none of the files that small knows"));
  CHECK(contains(message, "gramflow weights import " + get.folder / "wrong"));
  CHECK(get_bytes(get.folder / "wrong") == "x");
  CHECK(contains(get.refused<RunError>(get.folder / "nowhere"), "cannot be opened"));
}

TEST_CASE("a hostile file with the right checksum still runs nothing and installs nothing") {
  Get get;
  get.body = torch_zip(calling_pickle("os", "system", "touch " + get.folder / "proof"), {});
  put_bytes(get.folder / "evil", get.body);
  std::string yaml = get_bytes(get.folder / "small.yaml");
  yaml.replace(yaml.find("sha256_prefix: '") + 16, 8,
               file_checksums(get.folder / "evil").sha256.substr(0, 8));
  put_bytes(get.folder / "small.yaml", yaml);
  CHECK(contains(get.refused<RunError>(), "asks Python to run 'os.system'"));
  CHECK(get_bytes(get.installed).empty());
  CHECK(get_bytes(get.folder / "proof").empty());
}

TEST_CASE("networks without an address, unknown networks, and no place to put weights") {
  Get get;
  GetOptions options;
  options.network = "small-caffe";
  const auto run = [&] { get_weights(options, get.paths); };
  CHECK(contains(message_of<MissingResource>(run), "names no address and no checksum"));
  options.network = "smal";
  CHECK(contains(message_of<InvalidPipeline>(run), "did you mean 'small'?"));
  options.network = "small";
  get.paths.cache_folder.clear();
  CHECK(contains(message_of<MissingResource>(run), "set HOME or XDG_CACHE_HOME"));
}

TEST_CASE("more than the network can need is not even begun") {
  Get get;
  get.answer = [](const WebRequest&) {
    return std::string("HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\nendless");
  };
  CHECK(contains(get.refused<MissingResource>(), "which no weights of this network are"));
  CHECK(get.nothing_left());
}

TEST_CASE("a network file of one's own gets its weights beside it, not in the place of another network's") {
  Get get;
  std::filesystem::create_directories(get.folder / "cache");
  std::filesystem::create_directories(get.folder / "stranger");
  put_bytes(get.installed, "what was installed under this name");
  std::string yaml = get_bytes(get.folder / "small.yaml");
  put_bytes(get.folder / "stranger/mine.yaml", yaml);
  GetOptions options;
  options.network = get.folder / "stranger/mine.yaml";
  options.again = true;
  options.pause_seconds = 0.01;
  const std::string text = get_weights(options, get.paths);
  CHECK(get_bytes(get.installed) == "what was installed under this name");
  CHECK(get.is_in(get.folder / "stranger/small.safetensors"));
}
