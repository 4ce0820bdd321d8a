// What a process says of its store: at the end of the file that TQ_POWER_CUT_NOTES names, a line each; without one, in the
// log of the recorder, if that is there.
//
// Before something is tried: "try add TOKEN", "try cancel ID"; when the library has acknowledged it: "add ID TOKEN", "cancel ID".
// So what is said is true of the store from that moment on. The words are those of ledger.cc.
#pragma once

#include "base/fd.hpp"

#include <cstdlib>
#include <dlfcn.h>
#include <fcntl.h>
#include <string>

namespace tq::test::power_cut {

inline void note(const std::string& words) {
  static const auto to =
      reinterpret_cast<void (*)(const char*, std::size_t)>(::dlsym(RTLD_DEFAULT, "tq_power_cut_note"));
  static const char* const path = std::getenv("TQ_POWER_CUT_NOTES");
  if (path == nullptr && to != nullptr) to(words.data(), words.size());
  if (path == nullptr) return;
  static const base::Fd file = base::open_file(path, O_WRONLY | O_APPEND);
  base::write_all(file.get(), words + '\n', path);
}

// Kills this process between two of its calls.
inline void die() {
  static const auto to = reinterpret_cast<void (*)()>(::dlsym(RTLD_DEFAULT, "tq_power_cut_die"));
  if (to != nullptr) to();
}

}  // namespace tq::test::power_cut
