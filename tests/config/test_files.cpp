#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "framework/base/error.h"
#include "framework/config/expand.h"
#include "framework/config/read_pipeline.h"
#include "tests/config/expansion.h"

using namespace gramflow;

namespace {

/// A folder that is gone after the test.
class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              ("gramflow_test_files_" + std::to_string(reinterpret_cast<std::uintptr_t>(this)))) {
    std::filesystem::create_directories(path_ / "parts");
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string put(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }
  std::string path(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

Expansion expanded_file(const PipelineSource& source) {
  Expansion result;
  result.document = expand(source, 0, result.diagnostics);
  return result;
}

template <class Error>
std::string message_of(const std::string& path) {
  try {
    read_pipeline(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a pipeline knows its name and its folder") {
  const Folder folder;
  const Expansion result =
      expanded_file(read_pipeline(folder.put("a.yaml", "version: 1\nnodes: {n: {type: T}}\n")));
  CHECK(result.document.file_name == folder.path("a.yaml"));
  CHECK(result.document.directory == folder.path("a.yaml").substr(0, folder.path("a.yaml").rfind('/')));
  CHECK(expanded("nodes: {n: {type: T}}\n").document.directory == ".");
}

TEST_CASE("a file that does not exist is missing, with the name of one that is near") {
  const Folder folder;
  folder.put("portrait.yaml", "");
  const std::string message = message_of<MissingResource>(folder.path("protrait.yaml"));
  CHECK(message.find("there is no file") != std::string::npos);
  CHECK(message.find("did you mean 'portrait.yaml'?") != std::string::npos);
}

TEST_CASE("a folder is no pipeline") {
  const Folder folder;
  CHECK(message_of<InvalidPipeline>(folder.path("parts")).find("is a folder") != std::string::npos);
}

TEST_CASE("a file of 50 MB is refused without being read to its end") {
  const Folder folder;
  const PipelineSource source = read_pipeline(folder.put("big.yaml", std::string(50'000'000, 'a')));
  CHECK(source.file->text().size() < 10'000'000);
  CHECK(expanded_file(source).codes() == "file-too-large");
}

TEST_CASE("includes bring nodes, subgraphs and variables, relative to the including file") {
  const Folder folder;
  folder.put("parts/one.yaml",
             "version: 1\ninclude: two.yaml\nvars: {a: 1, b: 1}\nnodes: {one: {type: T, p: $a}}\n");
  folder.put("parts/two.yaml",
             "version: 1\nvars: {a: 2, c: 2}\nsubgraphs: {s: {nodes: {n: {type: U, p: $c}}}}\n");
  const Expansion result =
      expanded_file(read_pipeline(folder.put("main.yaml",
                                             "version: 1\ninclude: [parts/one.yaml]\nvars: {b: 3}\nnodes: "
                                             "{two: {type: s}, three: {type: T, p: $b}}\n")));
  CHECK(result.codes() == "");
  CHECK(result.nodes() == "one:T two/n:U three:T");
  CHECK(result.value("one", "p") == "1");  // the including file wins
  CHECK(result.value("two/n", "p") == "2");
  CHECK(result.value("three", "p") == "3");
}

TEST_CASE("a file that two others include is read once") {
  const Folder folder;
  folder.put("parts/common.yaml", "version: 1\nnodes: {c: {type: T}}\n");
  folder.put("parts/a.yaml", "version: 1\ninclude: common.yaml\n");
  folder.put("parts/b.yaml", "version: 1\ninclude: ../parts/common.yaml\n");
  CHECK(expanded_file(
            read_pipeline(folder.put("main.yaml", "version: 1\ninclude: [parts/a.yaml, parts/b.yaml]\n")))
            .nodes() == "c:T");
}

TEST_CASE("includes are also looked for in the given folders") {
  const Folder folder;
  folder.put("parts/library.yaml", "version: 1\nnodes: {c: {type: T}}\n");
  PipelineSource source = read_pipeline(folder.put("main.yaml", "version: 1\ninclude: library.yaml\n"));
  CHECK(expanded_file(source).codes() == "bad-include");
  source.include_folders = {folder.path("parts")};
  CHECK(expanded_file(source).nodes() == "c:T");
}

TEST_CASE("a file that includes itself shows the ring") {
  const Folder folder;
  const Expansion result = expanded_file(
      read_pipeline(folder.put("main.yaml", "version: 1\ninclude: main.yaml\nnodes: {n: {type: T}}\n")));
  CHECK(result.codes() == "include-ring");
}

TEST_CASE("mistakes in an included file are placed in that file, and all are found") {
  const Folder folder;
  folder.put("parts/one.yaml", "version: 1\nnodes: {one: {type: T, p: $no}, two: {p: 1}}\n");
  const Expansion result = expanded_file(
      read_pipeline(folder.put("main.yaml", "version: 1\ninclude: parts/one.yaml\nnode: {}\n")));
  CHECK(result.codes() == "unknown-key unknown-variable missing-type");
}
