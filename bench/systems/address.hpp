// HOST:PORT, as a driver of a server gets it for a path.
#pragma once

#include <stdexcept>
#include <string>

namespace bench {

struct Address {
  explicit Address(const std::string& text) : host(text.substr(0, text.find(':'))) {
    if (host.size() == text.size()) throw std::invalid_argument("not HOST:PORT: " + text);
    port = text.substr(host.size() + 1);
  }
  std::string host, port;
};

}  // namespace bench
