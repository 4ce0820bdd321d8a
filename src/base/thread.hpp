// Starting a thread: a failure of the system like any other.
#pragma once

#include "base/fail.hpp"

#include <system_error>
#include <thread>
#include <utility>

namespace tq::base {

// Throws IoError if the system refuses.
template <class Function>
std::thread start_thread(Function function) {
  try {
    return std::thread(std::move(function));
  } catch (const std::system_error& error) {
    throw_system("cannot start a thread", error.code().value());
  }
}

}  // namespace tq::base
