#pragma once
// What the tests of weights share: folders that vanish, files made byte by byte, messages of errors.
#include <cstdint>
#include <string>
#include <vector>

#include "framework/base/diagnostics.h"
#include "nodes/networks/network.h"
#include "tests/support/temporary_folder.h"

namespace gramflow::test {

void put_bytes(const std::string& path, const std::string& bytes);
std::string get_bytes(const std::string& path);
/// A safetensors file: this header, whatever it says, and so many bytes of data.
void put_safetensors(const std::string& path, const std::string& header, std::size_t data_bytes);

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// What `call` throws says; "" when it throws nothing. Another exception passes through and fails the test.
template <class Error, class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// A network of two convolutions with a pool between them, 3 -> 4 -> 5 channels, as YAML.
std::string small_network_yaml(const std::string& name = "small");
/// The network in a YAML text; the test fails when it has mistakes.
std::shared_ptr<const Network> network_of(const std::string& yaml, const std::string& folder);
/// Its mistakes, as a user reads them.
std::string mistakes_of(const std::string& yaml);
/// Random weights of a network written as safetensors.
void put_weights(const Network& network, const std::string& path, std::uint64_t seed = 1);

}  // namespace gramflow::test
