#include "framework/exec/checkpoint_keeper.h"

#include <stdexcept>

#include "framework/base/error.h"

namespace gramflow {
namespace {

std::string memory_name(std::size_t index, const std::string& tensor) {
  return "memory/" + std::to_string(index) + "/" + tensor;
}

}  // namespace

std::string carried_name(const std::string& node) { return "carried/" + node; }
std::string finished_name(const std::string& node) { return "finished/" + node; }

CheckpointKeeper::CheckpointKeeper(std::string path, CheckpointRhythm rhythm, CheckpointHead identity,
                                   Clock clock)
    : store_(std::move(path)),
      rhythm_(rhythm),
      identity_(std::move(identity)),
      clock_(std::move(clock)),
      start_(clock_()),
      last_(start_) {}

bool CheckpointKeeper::due_after_iteration() {
  ++iterations_;
  const auto seconds = [now = clock_()](std::chrono::steady_clock::time_point since) {
    return std::chrono::duration<double>(now - since).count();
  };
  if (seconds(start_) < rhythm_.first_seconds) return false;
  if (rhythm_.most_share > 0 && seconds(last_) * rhythm_.most_share < spent_) return false;
  const bool enough = rhythm_.iterations > 0 && iterations_ >= rhythm_.iterations;
  const bool long_ago = rhythm_.seconds > 0 && (written_ == 0 ? seconds(start_) >= rhythm_.first_seconds
                                                              : seconds(last_) >= rhythm_.seconds);
  return enough || long_ago;
}

bool CheckpointKeeper::wanted_at_stop() const {
  return written_ > 0 || std::chrono::duration<double>(clock_() - start_).count() >= rhythm_.first_seconds;
}

std::string CheckpointKeeper::write(int stage, const Session& session, std::span<const Canvas> carried,
                                    std::span<const Canvas> finished) {
  const auto begin = clock_();
  CheckpointHead head = identity_;
  head.stage = stage;
  head.loop = session.save_loop();
  for (int loop = 0; loop < head.loop.loop; ++loop) {
    head.finished.push_back(session.iterations_done(loop));
    head.finished_words.push_back(session.words_of(loop));
  }
  std::vector<std::span<const float>> vectors;
  const auto add = [&](std::string name, std::span<const float> floats) {
    head.vectors.push_back({std::move(name), floats.size()});
    vectors.push_back(floats);
  };
  for (const Canvas& canvas : carried) add(carried_name(canvas.node), canvas.values);
  for (const Canvas& canvas : finished) add(finished_name(canvas.node), canvas.values);
  const std::vector<Session::Memory> memory = session.memory();
  for (std::size_t i = 0; i < memory.size(); ++i) add(memory_name(i, memory[i].name), memory[i].floats);
  std::string problem;
  try {
    store_.write(head, vectors);
    ++written_;
  } catch (const RunError& found) {
    problem = found.what();
  }
  iterations_ = 0;
  last_ = clock_();
  spent_ = std::chrono::duration<double>(last_ - begin).count();
  return problem;
}

void restore_loop(const CheckpointFile& file, Session& session) {
  const auto other = [&](const std::string& why) {
    return RunError(file.path() + ": the checkpoint is of another pipeline: " + why);
  };
  const std::vector<Session::Memory> memory = session.memory();
  for (std::size_t i = 0; i < memory.size(); ++i) {
    const int vector = file.find(memory_name(i, memory[i].name));
    if (vector < 0) throw other("it does not have '" + memory[i].name + "'");
    file.read(vector, memory[i].floats);
  }
  try {
    session.restore_loop(file.head().loop);
  } catch (const std::invalid_argument& problem) {
    throw other(problem.what());
  }
}

}  // namespace gramflow
