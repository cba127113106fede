#pragma once
// What may be opened for reading: files of a disk, and nothing that waits, never ends or does something when it is read.
#include <string>

namespace gramflow {

/// "" for a regular file, and for a path that leads to nothing or cannot be looked at, which opening it will tell;
/// otherwise what it is: "a folder", "a device", "a pipe", "a socket", "a file of the system, not of a disk" (/proc,
/// /sys). Links are followed.
std::string not_a_plain_file(const std::string& path);

}  // namespace gramflow
