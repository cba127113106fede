// OpenMP's library comes with oneDNN and is loaded before the program's first line. When OMP_PROC_BIND,
// OMP_PLACES or GOMP_CPU_AFFINITY are set it ties the loading thread to one core at once, and every thread
// that is started later inherits that: all of them would share one core. TBB owns the cores here, so these
// variables are taken out of the environment before any library is initialised. .preinit_array is the place
// for that: the loader calls what stands there before all constructors of shared libraries. It must be linked
// into the program itself.
#include <cstring>
#include <initializer_list>

namespace {

bool binds_threads(const char* variable) {
  for (const char* name : {"OMP_PROC_BIND=", "OMP_PLACES=", "GOMP_CPU_AFFINITY="})
    if (std::strncmp(variable, name, std::strlen(name)) == 0) return true;
  return false;
}

void clean_environment(int, char**, char** environment) {
  char** kept = environment;
  for (char** variable = environment; *variable != nullptr; ++variable)
    if (!binds_threads(*variable)) *kept++ = *variable;
  *kept = nullptr;
}

}  // namespace

extern "C" {
__attribute__((section(".preinit_array"), used)) void (*gramflow_preinit)(int, char**,
                                                                          char**) = &clean_environment;
}
