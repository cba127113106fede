// `gramflow explain`: how a picture was made.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "framework/base/error.h"
#include "pipelines/commands.h"
#include "pipelines/run/provenance.h"

namespace gramflow {

void add_explain_command(CLI::App& app) {
  auto picture = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "explain",
      "Print how a picture was made; what is printed is a pipeline that makes it again from its folder");
  command->add_option("PICTURE", *picture, "a picture that gramflow has written")->required();
  command->callback([picture] {
    const std::string text = provenance_of(*picture);
    if (text.empty())
      throw MissingResource(*picture + ": it does not say how it was made, and neither does " +
                            sidecar_of(*picture) +
                            "; other programs drop what a picture says when they save it");
    std::fputs(text.c_str(), stdout);
  });
}

}  // namespace gramflow
