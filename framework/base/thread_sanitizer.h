#pragma once
// What ThreadSanitizer cannot see. TBB's library is not built with it, so the order that TBB gives (a body
// runs behind the call that started it and before the call that waits; an operation behind those that the
// plan names) is told to it here, and nothing else is: a write that no such order protects is found. In
// other builds these functions are empty.

#if defined(__SANITIZE_THREAD__)
#define GRAMFLOW_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GRAMFLOW_THREAD_SANITIZER 1
#endif
#endif

#ifdef GRAMFLOW_THREAD_SANITIZER
extern "C" void __tsan_acquire(void* tag);
extern "C" void __tsan_release(void* tag);
#endif

namespace gramflow {

#ifdef GRAMFLOW_THREAD_SANITIZER
inline constexpr bool under_thread_sanitizer = true;
/// What this thread did comes before what follows happens_after() of the same tag, in any thread.
inline void happens_before(const void* tag) { __tsan_release(const_cast<void*>(tag)); }
inline void happens_after(const void* tag) { __tsan_acquire(const_cast<void*>(tag)); }
#else
inline constexpr bool under_thread_sanitizer = false;
inline void happens_before(const void* /*tag*/) {}
inline void happens_after(const void* /*tag*/) {}
#endif

}  // namespace gramflow
