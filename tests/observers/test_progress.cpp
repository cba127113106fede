#include <doctest/doctest.h>

#include "framework/observers/progress.h"
#include "tests/observers/reports.h"

using namespace gramflow;
using namespace gramflow::test;

TEST_CASE("One stage: the share is that of the iterations") {
  Progress progress({stage(0, 100, 100, 200)});
  progress.begin(0, 0);
  CHECK(progress.share() == 0);
  progress.add(50, 0.1);
  CHECK(progress.share() == 0.25);
  progress.add(200, 0.1);
  CHECK(progress.share() == 1);
  CHECK(progress.seconds_left() == 0);
}

TEST_CASE("Stages weigh by their pixels and iterations") {
  Progress progress({stage(0, 100, 100, 300), stage(1, 200, 200, 100)});
  progress.begin(0, 0);
  progress.add(150, 0.1);
  CHECK(progress.share() == doctest::Approx(150.0 / 700));
  CHECK(progress.seconds_left() == doctest::Approx(150 * 0.1 + 100 * 0.4));
  progress.begin(1, 0);
  CHECK(progress.share() == doctest::Approx(300.0 / 700));
  CHECK(progress.seconds_left() == doctest::Approx(100 * 0.4));
}

TEST_CASE("Optimisers one after the other share a stage's work") {
  LoopStart second = loop(0, 200, 200, 100);
  second.loop = 1;
  Progress progress({{0, 0, {loop(0, 100, 100, 300), second}}});
  progress.begin(0, 0);
  progress.add(150, 0.1);
  CHECK(progress.share() == doctest::Approx(150.0 / 700));
  progress.begin(0, 1);
  CHECK(progress.share() == doctest::Approx(300.0 / 700));
  CHECK(progress.seconds_left() == doctest::Approx(100 * 0.4));
}

TEST_CASE("A stage that ended early counts as done") {
  Progress progress({stage(0, 10, 10, 100), stage(1, 10, 10, 100)});
  progress.begin(0, 0);
  progress.add(5, 1);
  progress.begin(1, 0);
  CHECK(progress.share() == 0.5);
}

TEST_CASE("The slow first iteration is forgotten, and the estimate follows a change of speed") {
  Progress progress({stage(0, 10, 10, 1000)});
  progress.begin(0, 0);
  progress.add(1, 30);
  CHECK(progress.seconds_per_iteration() == 30);
  progress.add(2, 1);
  CHECK(progress.seconds_per_iteration() == 1);
  for (int done = 3; done <= 20; ++done) progress.add(done, 1);
  CHECK(progress.seconds_per_iteration() == doctest::Approx(1));
  for (int done = 21; done <= 80; ++done) progress.add(done, 3);
  CHECK(progress.seconds_per_iteration() == doctest::Approx(3).epsilon(0.02));
}

TEST_CASE("A run without iterations is complete") {
  CHECK(Progress().share() == 1);
  CHECK(Progress({stage(0, 0, 0, 0)}).share() == 1);
}
