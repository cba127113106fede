#pragma once
// The only door to parallel loops. TBB owns the cores; a loop is cut by shape, never by thread count, so
// results are the same bits for any number of threads. oneDNN (an OpenMP build on Debian) is called from
// inside a body with one thread.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>

namespace gramflow {

/// A borrowed callable, cheaper than std::function: no allocation. The callable must outlive the call.
template <class Signature>
class FunctionRef;
template <class R, class... A>
class FunctionRef<R(A...)> {
 public:
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>)
      FunctionRef(F&& f)  // NOLINT(google-explicit-constructor): a call-site lambda is the point
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))),
        call_([](void* o, A... a) -> R {
          return (*static_cast<std::remove_reference_t<F>*>(o))(static_cast<A>(a)...);
        }) {}
  R operator()(A... a) const { return call_(object_, static_cast<A>(a)...); }

 private:
  void* object_;
  R (*call_)(void*, A...);
};

/// Calls body(index, worker) for every index in [0, count), in no particular order, in parallel. `worker` <
/// worker_limit() names the executing thread, for per-worker scratch; results must not depend on it. Bodies
/// must not start another parallel_for. An exception in a body stops the rest and is rethrown here. Allocates
/// nothing after its first call.
void parallel_for(std::int64_t count, FunctionRef<void(std::int64_t index, int worker)> body);

/// Upper bound of `worker` in the calling thread's arena; constant during a ThreadScope.
int worker_limit();

/// Limits the process to `threads` threads (0: usable_cores()) while it lives, and runs work in an
/// arena of that size. One at a time, made by the driver before planning.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;
  int threads() const { return threads_; }
  /// Runs `work` inside the arena and returns when it is done.
  void execute(FunctionRef<void()> work);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  int threads_;
};

}  // namespace gramflow
