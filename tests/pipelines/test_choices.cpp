// What is chosen in one parameter and what others say: methods with rates of their own, parameters without
// effect, things that are listed or written twice, sizes that follow each other, and hints that hold.
#include <doctest/doctest.h>

#include "tests/pipelines/program.h"

using namespace gramflow::test;

namespace {

const std::string recipe = "check '" GRAMFLOW_SOURCE_DIR "/configs/first-light.yaml' ";

Outcome check(const std::string& settings) { return run_in(GRAMFLOW_SOURCE_DIR, recipe + settings); }

/// A pipeline in which an optimiser makes a picture from noise.
std::string made(const std::string& loss, const std::string& optimizer, const std::string& save,
                 const std::string& rest = "") {
  return "version: 1\nnodes:\n  photo: {type: Noise, size: 32}\n  in: {type: Preprocess, image: photo}\n  "
         "wanted: "
         "{type: VGGExtract, input: in}\n  now: {type: VGGExtract, input: result.canvas}\n  loss: {type: "
         "ContentLoss, "
         "features: now, target: wanted, " +
         loss + "}\n  result: {type: Optimizer, start: in, iterations: 3, " + optimizer +
         "}\n  back: {type: Postprocess, input: result}\n  save: {type: Save, image: back, " + save + "}\n" +
         rest;
}

Outcome check_text(const std::string& text, const std::string& settings = "") {
  const TemporaryFolder folder;
  put(folder, "p.yaml", text);
  return run_in(folder.path(), "check p.yaml " + settings);
}

const std::string plain_loss = "layers: [relu1_1]";
const std::string plain_optimizer = "loss: loss";
const std::string plain_save = "path: out/a.png";

}  // namespace

TEST_CASE("a recipe's rate belongs to its method; another method has its own") {
  CHECK(check("--set nodes.result.method=lbfgs").code == 0);
  CHECK_FALSE(check("--set nodes.result.method=lbfgs").says("unused-parameter"));
  CHECK(check("--set 'nodes.result.learning_rate={adam: 0.2}'").code == 0);
  CHECK(check("--set nodes.result.learning_rate=0.3").code == 0);
  CHECK(check("--set 'nodes.result.learning_rate={adam: -1}'").code == 2);
  CHECK(check("--set 'nodes.result.learning_rate={sgd: 1}'").code == 2);
}

TEST_CASE("parameters that the chosen method or format does not use are told where a user wrote them") {
  const auto warns = [&](const std::string& optimizer, const std::string& save,
                         const std::string& settings = "") {
    const Outcome outcome = check_text(made(plain_loss, "loss: loss, " + optimizer, save), settings);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 0);
    return outcome.says("[unused-parameter]");
  };
  CHECK_FALSE(warns("method: adam, beta1: 0.8, decay: {factor: 0.5, every: 2}", plain_save));
  CHECK_FALSE(warns("method: lbfgs, history: 5, max_evaluations: 9", plain_save));
  for (const std::string key :
       {"beta1: 0.8", "beta2: 0.8", "epsilon: 1e-7", "decay: {factor: 0.5, every: 2}"})
    CHECK(warns("method: lbfgs, " + key, plain_save));
  for (const std::string key : {"history: 5", "max_evaluations: 9"}) {
    CHECK(warns("method: adam, " + key, plain_save));
    CHECK(warns(key, plain_save));
  }
  CHECK(warns("method: adam", "path: out/a.png, quality: 90"));
  CHECK_FALSE(warns("method: adam", "path: out/a.jpg, quality: 90"));
  CHECK_FALSE(warns("method: adam", "path: out/a.jpg, quality: 90", "--set nodes.save.path=out/a.png"));
  CHECK(warns("method: adam", "path: out/a.png", "--set nodes.save.quality=90"));
  CHECK(warns("method: adam", "path: out/a.png", "--set nodes.result.history=3"));
  CHECK(check("--set nodes.result.method=lbfgs --set nodes.result.beta1=0.8").says("[unused-parameter]"));
}

TEST_CASE(
    "a layer or a loss that is listed twice is a mistake at its second place; weights may be negative") {
  const Outcome layers = check_text(made("layers: [relu1_1, relu2_1, relu1_1]", plain_optimizer, plain_save));
  CHECK(layers.code == 2);
  CHECK(layers.says("[listed-twice]"));
  const Outcome losses = check_text(made(plain_loss, "loss: [loss, loss]", plain_save));
  CHECK(losses.code == 2);
  CHECK(losses.says("[named-twice]"));
  CHECK(check_text(made("weight: -1, " + plain_loss, plain_optimizer, plain_save)).code == 0);
  CHECK(check_text(made("layer_weights: {relu1_1: -2}, " + plain_loss, plain_optimizer, plain_save)).code ==
        0);
}

TEST_CASE("a picture that is squeezed out of shape is told") {
  const TemporaryFolder folder;
  put_picture(folder, "tall.png", 20, 96);
  const std::string d2l = "check '" GRAMFLOW_SOURCE_DIR "/configs/d2l.yaml' --set content=tall.png";
  const Outcome squeezed = run_in(folder.path(), d2l);
  CHECK(squeezed.code == 0);
  CHECK(squeezed.says("a picture of 20x96 is squeezed to 450x300"));
  CHECK_FALSE(run_in(folder.path(), "check '" GRAMFLOW_SOURCE_DIR "/configs/d2l.yaml'").says("squeezed"));
}

TEST_CASE("without a size recipes run at the photo's own, and the style follows") {
  const TemporaryFolder folder;
  put_picture(folder, "photo.png", 64, 40);
  put_picture(folder, "style.png", 30, 20);
  for (const std::string name : {"first-light", "gatys"}) {
    const Outcome outcome =
        run_in(folder.path(), "check '" GRAMFLOW_SOURCE_DIR "/configs/" + name +
                                  ".yaml' --set size=null --set content=photo.png --set style=style.png");
    CAPTURE(outcome.err);
    CHECK(outcome.code == 0);
    CHECK(outcome.says("canvas 64x40"));
    CHECK(outcome.says("64x43"));
  }
  const Outcome d2l =
      run_in(folder.path(), "check '" GRAMFLOW_SOURCE_DIR
                            "/configs/d2l.yaml' --set width= --set height= --set content=photo.png --set "
                            "style=style.png");
  CHECK(d2l.says("canvas 64x40"));
  CHECK(d2l.says("64x43"));
  CHECK(run_in(folder.path(),
               "check '" GRAMFLOW_SOURCE_DIR "/configs/texture.yaml' --set size= --set style=style.png")
            .says("canvas 30x20"));
}

TEST_CASE("hints hold: what they say to write is taken") {
  const auto hint = [](const std::string& size) { return check("--set " + quoted("size=" + size)).err; };
  CHECK(hint("0x40").find("write 64") != std::string::npos);
  CHECK(hint("1,024").find("write 1024") != std::string::npos);
  CHECK(hint("96x64").find("write [96, 64]") != std::string::npos);
  CHECK(hint("0x0").find("write") == std::string::npos);
  CHECK(hint("99999999x3").find("write") == std::string::npos);
  CHECK(check("--set iterations=0x10").err.find("write 16") != std::string::npos);
  CHECK(check("--set iterations=1,5").err.find("write 1.5") == std::string::npos);
  CHECK(check("--set nodes.save.quality=1,024").err.find("write 1024") == std::string::npos);
  const Outcome braces = check_text(made("weight: 1,024, " + plain_loss, plain_optimizer, plain_save));
  CHECK(braces.says("write weight: 1024"));
  CHECK(
      check_text(made("weight: 0,5, " + plain_loss, plain_optimizer, plain_save)).says("write weight: 0.5"));
}

TEST_CASE("letters that nobody sees are shown by name") {
  const Outcome outcome = check_text(made("\xc2\xa0weight: 2, " + plain_loss, plain_optimizer, plain_save));
  CHECK(outcome.code == 2);
  CHECK(outcome.says("<no-break space>weight"));
  CHECK(check("--set " + quoted("si\xe2\x80\x8bze=3")).says("<zero width space>"));
  CHECK(check("--set " + quoted("size=\xef\xbb\xbf"
                                "512"))
            .says("<byte order mark>"));
}

TEST_CASE("the smallest picture for a layer is named, and is large enough") {
  const Outcome small = check_text(made("layers: [relu5_1]", plain_optimizer, plain_save),
                                   "--set nodes.photo.size=12 --set nodes.loss.layers=[conv5_1]");
  CHECK(small.says("the smallest is 16x16"));
  CHECK(check_text(made(plain_loss, plain_optimizer, plain_save),
                   "--set nodes.photo.size=16 --set nodes.loss.layers=[conv5_1]")
            .code == 0);
}
