// Any bytes as a pipeline: reading, expanding and resolving must end with diagnostics or a document, never
// with a crash, and the canonical form of what is good must be good and stay the same. Lines "# set:
// key=value" at the start are overrides.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <sstream>

#include "framework/config/canonical.h"
#include "framework/config/document.h"

namespace {

using namespace gramflow;

PipelineSource source_of(std::string text) {
  PipelineSource source;
  std::istringstream lines(text);
  const std::string start = "# set: ";
  for (std::string line; std::getline(lines, line) && line.starts_with(start);) {
    const std::string setting = line.substr(start.size());
    const std::size_t equals = setting.find('=');
    if (equals != std::string::npos)
      source.overrides.push_back({setting.substr(0, equals), setting.substr(equals + 1)});
  }
  source.file = std::make_shared<SourceFile>("fuzz.yaml", std::move(text));
  return source;
}

bool is_port(std::string_view, std::string_view key) {
  return key == "image" || key == "input" || key == "loss" || key == "start";
}

void require(bool holds, const char* what, const std::string& text) {
  if (holds) return;
  std::cerr << what << "\n" << text << "\n";
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (text.find("include") != std::string::npos) return 0;  // what lies on the disk is no part of the input
  const PipelineSource source = source_of(text);
  for (const bool typed : {false, true}) {
    const IsPort ports = typed ? IsPort(is_port) : IsPort();
    Diagnostics diagnostics;
    const std::string canonical = canonical_yaml(source, diagnostics, ports);
    const std::string rendered = diagnostics.render() + diagnostics.to_json();
    require(!rendered.empty(), "nothing was rendered", text);
    if (diagnostics.has_errors()) continue;
    Diagnostics again;
    const std::string twice =
        canonical_yaml({std::make_shared<SourceFile>("again.yaml", canonical), {}, {}}, again, ports);
    require(!again.has_errors(), "the canonical form has errors:", canonical + again.render());
    require(twice == canonical, "the canonical form changes:", canonical + "----\n" + twice);
  }
  return 0;
}
