#pragma once
// One file from the web to the disk, over as many broken connections as it takes.
#include <cstdint>
#include <functional>
#include <string>

namespace gramflow {

struct DownloadProgress {
  std::uint64_t done = 0;   ///< bytes on the disk, those of an earlier try included
  std::uint64_t total = 0;  ///< 0: the server does not say
};

struct DownloadOptions {
  std::string url;   ///< http or https; what redirects from https must stay https
  std::string file;  ///< grows while the download runs; what is there already is gone on with
  std::function<void(const DownloadProgress&)>
      progress;                ///< called a few times a second at most; may be empty
  int tries = 4;               ///< in a row without a new byte
  double pause_seconds = 0.5;  ///< before the second try, doubled before each further one
  int stalled_seconds = 30;    ///< below a kibibyte a second, before a connection counts as dead
  std::uint64_t largest = std::uint64_t{4} << 30;  ///< bytes: more is refused as soon as it is known
};

/// Resumes `file` if the server can, starts over if not. Proxies are taken from the usual variables
/// (https_proxy, no_proxy). Whether the bytes are the right ones is for the caller to check. Throws
/// MissingResource when the file cannot be had: the address, the reason (no connection, 404, ...) and what to
/// do; RunError when it cannot be written. What has arrived stays for the next time.
void download(const DownloadOptions& options);

}  // namespace gramflow
