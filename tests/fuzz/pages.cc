// A data file of any bytes: it is refused, or has problems, or none. Nothing is touched that is not there, and nothing takes long.
#include "base/fail.hpp"
#include "base/fd.hpp"
#include "fuzz/fuzz.hpp"
#include "store/data_file.hpp"
#include "store/page_check.hpp"

#include <cerrno>
#include <sys/mman.h>
#include <unistd.h>

using namespace tq;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const base::Fd memory(::memfd_create("pages", MFD_CLOEXEC));
  static const std::filesystem::path name = "pages";
  if (::ftruncate(memory.get(), 0) != 0) base::throw_system("cannot cut", errno);
  if (::pwrite(memory.get(), data, size, 0) != static_cast<ssize_t>(size)) base::throw_system("cannot write", errno);
  const bool is_lmdb = fuzz::accepts([&] { store::refuse_foreign(memory.get(), name); });
  if (!is_lmdb) return 0;
  fuzz::accepts([&] { store::refuse_cut_off(memory.get(), name); });
  const bool opens = fuzz::accepts([&] { store::refuse_broken_roots(memory.get(), name); });
  const store::DataFile file(memory.get(), name);
  const auto first = file.meta(0);
  const auto second = file.meta(first->page_size());
  const bool is_whole = store::page_problems(file, *first).empty();
  if (is_whole) fuzz::require(store::free_pages(file, *first).has_value(), "a whole state has a list of free pages");
  if (opens) fuzz::require(second.has_value(), "what opens has two meta pages");
  return 0;
}
