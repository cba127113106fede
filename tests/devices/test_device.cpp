// The door for devices, proven by a second one: memory that the host cannot reach, copies that are planned,
// fusions that are asked for. Whatever that device supports, a run finds what the CPU finds.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "framework/base/parallel.h"
#include "framework/ops/transfer.h"
#include "tests/devices/counting_device.h"
#include "tests/support/harness.h"

using namespace gramflow;
using namespace gramflow::test;

namespace {

struct Found {
  std::vector<double> losses;
  std::vector<float> canvas;
};

Found run_on(const std::string& yaml, const Devices& devices, ExecutorKind executor = ExecutorKind::flow) {
  Recorder recorder;
  RunOptions options;
  options.executor = executor;
  options.observers = {&recorder};
  options.before_stage = poison_free_memory;
  const RunSummary summary = run(yaml, test_nodes(shipped_library()), options, 2, devices);
  Found found{{}, result_of(summary)};
  for (const auto& iteration : recorder.iterations()) {
    found.losses.push_back(iteration.total);
    for (const auto& [name, value] : iteration.losses) found.losses.push_back(value);
  }
  return found;
}

void check_near(const Found& found, const Found& expected) {
  REQUIRE(found.losses.size() == expected.losses.size());
  for (std::size_t i = 0; i < found.losses.size(); ++i)
    CHECK(found.losses[i] == doctest::Approx(expected.losses[i]).epsilon(1e-5));
  REQUIRE(found.canvas.size() == expected.canvas.size());
  double error = 0;
  for (std::size_t i = 0; i < found.canvas.size(); ++i)
    error = std::max(
        error, std::fabs(static_cast<double>(found.canvas[i]) - static_cast<double>(expected.canvas[i])));
  CHECK(error < 1e-3);
}

/// L-BFGS would make much of differences in rounding: it divides by what a first, tiny step changed.
std::string recipe(const std::string& method = "method: adam, learning_rate: 0.1, iterations: 3") {
  return small_transfer(method, 33, 26);
}

Support only(std::set<std::string> kinds) {
  Support support = all_kinds();
  support.kinds = std::move(kinds);
  return support;
}

Support without(bool Support::*fusion) {
  Support support = all_kinds();
  support.*fusion = false;
  return support;
}

/// By name.
std::map<std::string, Support> supports() {
  Support plain = all_kinds();
  plain.relu_in_convolution = plain.pool_in_convolution = plain.mask_in_backward = plain.index_in_backward =
      false;
  return {{"everything", all_kinds()},
          {"no fusion at all", plain},
          {"no pooling in a convolution", without(&Support::pool_in_convolution)},
          {"no mask going back", without(&Support::mask_in_backward)},
          {"no pooled gradient going back", without(&Support::index_in_backward)},
          {"convolutions only", only({"Convolution"})},
          {"everything but convolutions", only({"Relu", "Pool", "Gram", "SquaredError", "TotalVariation"})},
          {"Gram matrices only", only({"Gram"})},
          {"losses only", only({"SquaredError", "TotalVariation"})}};
}

std::map<std::string, int> kinds_of(const Plan& plan) {
  std::map<std::string, int> kinds;
  for (const Operation& operation : plan.program.operations) ++kinds[std::string(operation.op->kind())];
  return kinds;
}

}  // namespace

TEST_CASE("whatever a device supports, the recipe's losses and picture are the CPU's") {
  const Found expected = run_on(recipe(), {});
  for (const auto& [name, support] : supports()) {
    CAPTURE(name);
    const auto device = std::make_shared<CountingDevice>(support);
    check_near(run_on(recipe(), counting_devices(device)), expected);
    CHECK(device->counts.uploads > 0);
    CHECK(device->counts.allocated == 0);  // all given back
  }
}

TEST_CASE("whatever a device supports, the gradient is the CPU's") {
  const auto gradient_on = [](const Devices& devices) {
    const auto stages = compiled(recipe(), test_nodes(shipped_library()), 2, devices);
    std::vector<float> gradient;
    ThreadScope threads(2);
    threads.execute([&] {
      Session session(*stages[0], {});
      session.begin();
      session.evaluate_canvas();
      gradient.assign(session.gradient().floats().begin(), session.gradient().floats().end());
    });
    return gradient;
  };
  const std::vector<float> expected = gradient_on({});
  double largest = 0;
  for (const float value : expected) largest = std::max(largest, std::fabs(static_cast<double>(value)));
  for (const auto& [name, support] : supports()) {
    CAPTURE(name);
    const std::vector<float> found = gradient_on(counting_devices(std::make_shared<CountingDevice>(support)));
    double error = 0;
    for (std::size_t i = 0; i < expected.size(); ++i)
      error = std::max(error, std::fabs(static_cast<double>(found[i]) - static_cast<double>(expected[i])));
    CHECK(error < 1e-5 * largest);
  }
}

TEST_CASE("what nobody but the host runs gives the CPU's bits") {
  const auto device = std::make_shared<CountingDevice>(only({}));
  const Found expected = run_on(recipe(), {}), found = run_on(recipe(), counting_devices(device));
  CHECK(found.losses == expected.losses);
  CHECK(std::memcmp(found.canvas.data(), expected.canvas.data(), found.canvas.size() * sizeof(float)) == 0);
}

TEST_CASE("a device's bits do not depend on the executor") {
  const auto once = run_on(recipe(), counting_devices(std::make_shared<CountingDevice>(all_kinds())));
  const auto again =
      run_on(recipe(), counting_devices(std::make_shared<CountingDevice>(all_kinds())), ExecutorKind::serial);
  CHECK(once.losses == again.losses);
  CHECK(once.canvas == again.canvas);
}

TEST_CASE("fusion asks the device") {
  const auto plan_for = [](Support support) {
    auto stages = compiled(recipe(), test_nodes(shipped_library()), 2,
                           counting_devices(std::make_shared<CountingDevice>(std::move(support))));
    return std::move(stages.at(0));
  };
  const auto everything = kinds_of(plan_for(all_kinds())->plan);
  CHECK(everything.count("Relu") == 0);
  CHECK(everything.count("Pool") == 0);
  auto kinds = kinds_of(plan_for(without(&Support::pool_in_convolution))->plan);
  CHECK(kinds["Relu"] == 0);
  CHECK(kinds["Pool"] > 0);
  CHECK(kinds["PoolBackward"] > 0);
  kinds = kinds_of(plan_for(without(&Support::relu_in_convolution))->plan);
  CHECK(kinds["Relu"] > 0);
  kinds = kinds_of(plan_for(without(&Support::mask_in_backward))->plan);
  CHECK(kinds["Relu"] == 0);
  CHECK(kinds["ReluBackward"] > 0);
}

TEST_CASE("transfers are operations of the plan, counted and as few as can be") {
  const auto device = std::make_shared<CountingDevice>(all_kinds());
  const auto stages = compiled(recipe("method: adam, learning_rate: 0.1, iterations: 4"),
                               test_nodes(shipped_library()), 2, counting_devices(device));
  const CompiledStage& stage = *stages[0];
  // The whole loop is on the device: nothing is carried in it.
  CHECK(stage.plan.transfer_bytes.at(0) == 0);
  for (const Operation& operation : stage.plan.program.operations)
    if (is_loop(operation.section)) CHECK(operation.place == Place::device);
  CHECK(stage.device_bytes() > 0);
  CHECK(stage.plan.host_arena_bytes < stage.plan.arena_bytes);
  ThreadScope threads(2);
  threads.execute([&] {
    Session session(*stages[0], {});
    session.begin();
    CHECK(device->counts.most_allocated + stage.plan.filter_bytes <= stage.device_bytes());
    const double canvas = static_cast<double>(session.canvas().desc.bytes());
    const Counts before = device->counts;
    session.step();
    session.step();
    // The picture goes up and its gradient comes down once an evaluation; losses are read as scalars.
    CHECK(device->counts.uploaded_bytes - before.uploaded_bytes == 2 * canvas);
    CHECK(device->counts.downloaded_bytes - before.downloaded_bytes == 2 * canvas);
    CHECK(device->counts.scalars - before.scalars == 2 * 7);
  });
}

TEST_CASE("what the host does in a loop is carried to it and back in every turn, and counted") {
  Support support = all_kinds();
  support.kinds.erase("Gram");
  const auto device = std::make_shared<CountingDevice>(support);
  const auto stages = compiled(recipe("method: adam, learning_rate: 0.1, iterations: 2"),
                               test_nodes(shipped_library()), 2, counting_devices(device));
  const Plan& plan = stages[0]->plan;
  double carried = 0;
  for (const Operation& operation : plan.program.operations)
    if (is_loop(operation.section) && dynamic_cast<const Transfer*>(operation.op.get()) != nullptr)
      carried += static_cast<double>(plan.program.desc(operation.outputs[0]).bytes());
  CHECK(carried > 0);
  CHECK(plan.transfer_bytes.at(0) == carried);
  ThreadScope threads(2);
  threads.execute([&] {
    Session session(*stages[0], {});
    session.begin();
    const double canvas = static_cast<double>(session.canvas().desc.bytes());
    const Counts before = device->counts;
    session.step();
    const double moved = device->counts.uploaded_bytes - before.uploaded_bytes +
                         device->counts.downloaded_bytes - before.downloaded_bytes;
    CHECK(moved == carried + 2 * canvas);
  });
}

TEST_CASE("previews and several optimisers, on the device and beside it") {
  const TemporaryFolder folder;
  const auto yaml = [&](const std::string& name) {
    return fmt::format(R"(version: 1
nodes:
  picture: {{type: Noise, size: [24, 18], seed: 4}}
  start: {{type: Preprocess, image: picture, network: vgg19-mini}}
  features: {{type: VGGExtract, input: start, network: vgg19-mini}}
  first_features: {{type: VGGExtract, input: first.canvas, network: vgg19-mini}}
  second_features: {{type: VGGExtract, input: second.canvas, network: vgg19-mini}}
  loss1: {{type: ContentLoss, features: first_features, target: features, layers: [relu2_1], weight: 1}}
  tv1: {{type: TVLoss, input: first.canvas, weight: 1}}
  loss2: {{type: ContentLoss, features: second_features, target: first_features, layers: [relu1_1], weight: 1}}
  tv2: {{type: TVLoss, input: second.canvas, weight: 10}}
  first: {{type: Optimizer, start: start, loss: [loss1, tv1], iterations: 3}}
  second: {{type: Optimizer, start: first, loss: [loss2, tv2], iterations: 3}}
  seen: {{type: Postprocess, input: second, network: vgg19-mini}}
  save: {{type: Save, image: seen, path: '{}/{}-{{iteration}}.png', every: 1}}
)",
                       folder.path(), name);
  };
  const Found expected = run_on(yaml("cpu"), {});
  for (const auto& kinds : {all_kinds().kinds, std::set<std::string>{"Convolution", "TotalVariation"},
                            std::set<std::string>{"Pool", "SquaredError"}}) {
    const auto device = std::make_shared<CountingDevice>(only(kinds));
    check_near(run_on(yaml("other"), counting_devices(device)), expected);
  }
  for (int iteration = 1; iteration <= 3; ++iteration)
    CHECK(std::filesystem::exists(folder / fmt::format("other-{:05}.png", iteration)));
}

TEST_CASE("a host buffer can be borrowed from the CPU, and a device's views stay inside of their buffers") {
  const Devices cpu = counting_devices(std::make_shared<CountingDevice>(all_kinds()));
  alignas(64) float values[16] = {1, 2, 3};
  const auto borrowed = cpu.host->borrow(values, sizeof(values));
  REQUIRE(borrowed != nullptr);
  const DeviceView view{borrowed.get(), 64 / 2, {{1, 1, 4}, ElementType::f32}};
  CHECK(cpu.host->host_view(view).f32() == values + 8);
  CHECK(cpu.main->borrow(values, sizeof(values)) == nullptr);
  const auto far = cpu.main->allocate(64);
  const DeviceView part{far.get(), 32, {{1, 1, 8}, ElementType::f32}};
  CHECK_FALSE(cpu.main->host_view(part));
  cpu.main->upload(values, part);
  float back[8] = {};
  cpu.main->download(part, back);
  CHECK(std::memcmp(back, values, sizeof(back)) == 0);
  CHECK_THROWS_AS(cpu.main->upload(values, {far.get(), 64, part.desc}), std::logic_error);
}
