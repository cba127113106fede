#pragma once
// Every allocation of a program that links count_allocations.cpp is counted.

namespace gramflow::test {

/// By operator new, of any kind and thread, since the program began.
long allocations();

}  // namespace gramflow::test
