#include "framework/base/parallel.h"

// A loop is one task an index (simple_partitioner), so that whoever is idle takes half of what is left and
// nobody waits long for the last block. The worker's number is its slot in the arena, which no other thread
// of that arena has at the same time. In an arena of one, TBB may still lend a second thread to enqueued
// work; such loops are therefore run by their caller, as worker 0.

#include <tbb/blocked_range.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <stdexcept>
#include <string>

#include "framework/base/cores.h"
#include "framework/base/thread_sanitizer.h"

namespace gramflow {

void parallel_for(std::int64_t count, FunctionRef<void(std::int64_t index, int worker)> body) {
  if (count <= 0) return;
  if (count == 1 || worker_limit() == 1) {
    for (std::int64_t index = 0; index < count; ++index) body(index, 0);
    return;
  }
  const char begun = 0;
  const char done = 0;
  happens_before(&begun);
  tbb::parallel_for(
      tbb::blocked_range<std::int64_t>(0, count),
      [&](const tbb::blocked_range<std::int64_t>& range) {
        happens_after(&begun);
        const int worker = tbb::this_task_arena::current_thread_index();
        for (std::int64_t index = range.begin(); index < range.end(); ++index) body(index, worker);
        happens_before(&done);
      },
      tbb::simple_partitioner{});
  happens_after(&done);
}

int worker_limit() { return tbb::this_task_arena::max_concurrency(); }

struct ThreadScope::Impl {
  explicit Impl(int threads)
      : limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads)),
        arena(threads) {
    arena.initialize();
  }
  tbb::global_control limit;
  tbb::task_arena arena;
};

ThreadScope::ThreadScope(int threads) : threads_(threads) {
  if (threads < 0)
    throw std::invalid_argument("a run needs 1 thread or more (0: all cores), not " +
                                std::to_string(threads));
  if (threads_ == 0) threads_ = usable_cores();
  impl_ = std::make_unique<Impl>(threads_);
}

ThreadScope::~ThreadScope() = default;

void ThreadScope::execute(FunctionRef<void()> work) {
  const char begun = 0;
  const char done = 0;
  happens_before(&begun);
  impl_->arena.execute([&] {
    happens_after(&begun);
    work();
    happens_before(&done);
  });
  happens_after(&done);
}

}  // namespace gramflow
