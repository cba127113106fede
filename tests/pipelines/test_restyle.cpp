// `gramflow restyle`: pictures without a pipeline file.
#include <doctest/doctest.h>

#include <algorithm>

#include "nodes/image/picture_io.h"
#include "tests/pipelines/program.h"

using namespace gramflow::test;
namespace fs = std::filesystem;

namespace {

struct Pair {
  TemporaryFolder folder;
  Pair() {
    fs::copy_file(GRAMFLOW_SOURCE_DIR "/configs/images/landscape.jpg", folder / "photo.jpg");
    fs::copy_file(GRAMFLOW_SOURCE_DIR "/configs/images/brushwork.jpg", folder / "painting.jpg");
  }
  Outcome restyle(const std::string& arguments) const {
    return run_in(folder.path(), "restyle " + arguments);
  }
};

}  // namespace

TEST_CASE("a photo and a painting are enough, and nothing is overwritten") {
  const Pair pair;
  CHECK(pair.restyle("photo.jpg painting.jpg --size 40 --quiet").code == 0);
  const std::string first = text_of(pair.folder / "photo-strokes.png");
  CHECK(first.size() > 500);
  CHECK(pair.restyle("photo.jpg painting.jpg --size 48 --quiet").code == 0);
  CHECK(pair.restyle("photo.jpg painting.jpg --size 40 --look fine --stroke 1 --quiet").code == 0);
  CHECK(text_of(pair.folder / "photo-strokes.png") == first);
  CHECK(gramflow::read_picture_info(pair.folder / "photo-strokes-2.png").width == 48);
  CHECK(fs::exists(pair.folder / "photo-fine.png"));
}

TEST_CASE("what it prints is a pipeline file that makes the same picture, anywhere") {
  const Pair pair;
  const std::string arguments = "photo.jpg painting.jpg --size 40 --stroke 0.9 --look bold -o a.png ";
  const Outcome printed = pair.restyle(arguments + "--print");
  CHECK(printed.code == 0);
  CHECK_FALSE(fs::exists(pair.folder / "a.png"));
  REQUIRE(pair.restyle(arguments + "--quiet").code == 0);
  const TemporaryFolder elsewhere;
  put(elsewhere, "p.yaml", printed.out);
  REQUIRE(run_in(elsewhere.path(), "run p.yaml --quiet --set nodes.save.metadata=none").code == 0);
  CHECK(gramflow::read_picture(elsewhere / "a.png").rgb == gramflow::read_picture(pair.folder / "a.png").rgb);
}

TEST_CASE("names are taken letter by letter") {
  const Pair pair;
  const std::string odd = "ta ke #2: $1 'x'.jpg";
  fs::copy_file(pair.folder / "photo.jpg", pair.folder / odd);
  CHECK(pair.restyle(quoted(odd) + " painting.jpg --size 40 --quiet -o " + quoted("$out {1}.png")).code == 2);
  CHECK(pair.restyle(quoted(odd) + " painting.jpg --size 40 --quiet -o " + quoted("$out #1.png")).code == 0);
  CHECK(fs::exists(pair.folder / "$out #1.png"));
}

TEST_CASE("strokes are seen") {
  const Pair pair;
  const auto picture = [&](const std::string& stroke) {
    REQUIRE(pair.restyle("photo.jpg painting.jpg --size 64 --quiet -o s.png --stroke " + stroke).code == 0);
    return gramflow::read_picture(pair.folder / "s.png").rgb;
  };
  CHECK(picture("0.7") != picture("1.5"));
}

TEST_CASE("a sheet has each look at each stroke") {
  const Pair pair;
  const Outcome proof = pair.restyle(
      "photo.jpg painting.jpg --proof --size 40 --look strokes,fine --stroke 0.7,1,1.5 -o sheet.png");
  CHECK(proof.code == 0);
  CHECK(proof.says("proof 6 of 6: fine, stroke 1.5"));
  const gramflow::Picture sheet = gramflow::read_picture(pair.folder / "sheet.png");
  CHECK(sheet.width == 2 * 48 + 8);
  CHECK(sheet.height > 3 * 35);
  // A label is dark on white, above the first picture.
  CHECK(*std::min_element(sheet.rgb.begin(), sheet.rgb.begin() + 3 * 12 * sheet.width) < 0.3F);
  CHECK(sheet.rgb.front() == 1.0F);
  CHECK(pair.restyle("photo.jpg painting.jpg --proof --size 40 --look fine --stroke 1 --quiet").code == 0);
  CHECK(fs::exists(pair.folder / "photo-proof.png"));
}

TEST_CASE("mistakes are answered with what there is") {
  const Pair pair;
  const Outcome look = pair.restyle("photo.jpg painting.jpg --look stroks");
  CHECK(look.code == 2);
  CHECK(look.says("did you mean 'strokes'?"));
  const Outcome picture = pair.restyle("phto.jpg painting.jpg");
  CHECK(picture.code == 3);
  CHECK(picture.says("did you mean 'photo.jpg'?"));
  const Outcome stroke = pair.restyle("photo.jpg painting.jpg --look gatys2016 --stroke 2");
  CHECK(stroke.code == 2);
  CHECK(stroke.says("'gatys2016' has no 'stroke'"));
  CHECK(pair.restyle("photo.jpg painting.jpg --look fine,bold").says("--proof"));
  CHECK(pair.restyle("photo.jpg painting.jpg --proof --print").code == 2);
  CHECK(pair.restyle("photo.jpg .").says("is a folder"));
  CHECK(pair.restyle("photo.jpg").code == 2);
  CHECK(pair.restyle("photo.jpg painting.jpg --stroke 0").code == 2);
  CHECK(pair.restyle("photo.jpg painting.jpg --size 40 -o x.gif").says("cannot be written"));
  CHECK(pair.restyle("photo.jpg painting.jpg --proof -o x.gif").code != 0);
}
