// Draws the sample pictures into a folder: draw_samples FOLDER [landscape|brushwork] [WIDTH HEIGHT].
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include "nodes/image/picture_io.h"
#include "scripts/samples/drawing.h"

namespace {

int usage() {
  std::cerr << "usage: draw_samples FOLDER [landscape|brushwork] [WIDTH HEIGHT]\n"
               "Draws landscape.jpg and brushwork.jpg (or only the one named) into FOLDER.\n";
  return 2;
}

void save(const std::string& folder, const std::string& name, const gramflow::Picture& picture) {
  gramflow::WriteOptions options;
  options.quality = 90;
  options.software = "gramflow draw_samples";
  const std::string path = folder + "/" + name + ".jpg";
  gramflow::write_picture(path, picture, options);
  std::cout << path << '\n';
}

}  // namespace

int main(int count, char** arguments) try {
  if (count < 2 || count == 4 || count > 5) return usage();
  const std::string folder = arguments[1];
  const std::string only = count > 2 ? arguments[2] : "";
  const int width = count > 4 ? std::atoi(arguments[3]) : 1200;
  const int height = count > 4 ? std::atoi(arguments[4]) : 800;
  if ((!only.empty() && only != "landscape" && only != "brushwork") || width < 16 || height < 16)
    return usage();
  if (only != "brushwork") save(folder, "landscape", gramflow::draw_landscape(width, height));
  if (only != "landscape") save(folder, "brushwork", gramflow::draw_brushwork(width, height));
  return 0;
} catch (const std::exception& error) {
  std::cerr << "draw_samples: " << error.what() << '\n';
  return 1;
}
