#include "framework/schema/path_problem.h"

#include <fmt/format.h>

#include <cstdlib>

#include "framework/base/text.h"

namespace gramflow {
namespace {

bool is_letter(char letter) { return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z'); }

/// Length of "http://", 0 when there is none. One letter is a drive of another system.
std::size_t scheme_length(const std::string& path) {
  const std::size_t colon = path.find("://");
  if (colon == std::string::npos || colon < 2) return 0;
  for (std::size_t i = 0; i < colon; ++i) {
    const bool other =
        (path[i] >= '0' && path[i] <= '9') || path[i] == '+' || path[i] == '-' || path[i] == '.';
    if (!is_letter(path[i]) && !(i > 0 && other)) return 0;
  }
  return colon + 3;
}

std::string unseen_letter(const std::string& path, bool writes) {
  for (const char letter : path) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte == 0) return "a NUL, where the system would cut it off";
    if (writes && (byte < 0x20 || byte == 0x7F)) return fmt::format("the control character 0x{:02x}", byte);
  }
  return "";
}

}  // namespace

PathProblem path_problem(const std::string& path, bool writes, bool typed) {
  if (const std::string unseen = unseen_letter(path, writes); !unseen.empty())
    return {fmt::format("the name {} holds {}", quote(path), unseen), "choose a name of visible letters"};
  if (path == "-")
    return {fmt::format("nodes {} files, and no standard {}", writes ? "write" : "read",
                        writes ? "output" : "input"),
            "a file of the name '-' is written ./-"};
  if (const std::size_t scheme = scheme_length(path); scheme > 0) {
    if (path.starts_with("file:///"))
      return {fmt::format("{} is a URL; a path was expected", quote(path)),
              "write " + one_line(path.substr(scheme))};
    return {fmt::format("{} is a URL; nothing is {} the network here", quote(path),
                        writes ? "sent to" : "fetched from"),
            writes ? "write a path" : "download it, and write the path of the file"};
  }
  if (path.starts_with('~')) {
    const std::string rest = path.substr(1);
    const bool own = rest.empty() || rest[0] == '/';
    const bool known = std::getenv("HOME") != nullptr && !rest.empty();
    const std::string meant = typed ? fmt::format("'${{env:HOME}}{}'", one_line(rest))
                                    : fmt::format("\"${{env:HOME}}{}\"", one_line(rest));
    return {
        fmt::format("the '~' of {} is opened by shells at the start of a word, not here", quote(path)),
        own && known ? "write " + meant : fmt::format("a file of that name is written ./{}", one_line(path))};
  }
  return {};
}

}  // namespace gramflow
