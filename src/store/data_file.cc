#include "store/data_file.hpp"

#include "base/fail.hpp"
#include "store/page_check.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <vector>

namespace tq::store {
namespace {

namespace fs = std::filesystem;
using base::fail;

// The valid one of the two, if both are there.
std::optional<MetaPage> newest_meta(const DataFile& file) {
  const std::optional<MetaPage> first = file.meta(0);
  if (!first || !first->is_sound()) return std::nullopt;
  const std::optional<MetaPage> second = file.meta(first->page_size());
  if (!second || !second->is_sound() || second->page_size() != first->page_size()) return std::nullopt;
  return second->transaction > first->transaction ? second : first;
}

// How many pages from `first` to the last one are free.
std::uint64_t count_free(const DataFile& file, const MetaPage& meta, std::uint64_t first) {
  const auto free = free_pages(file, meta).value_or(std::vector<std::uint64_t>());
  std::set<std::uint64_t> counted;
  for (const std::uint64_t page : free) {
    if (page >= first) counted.insert(page);
  }
  return counted.size();
}

}  // namespace

void refuse_foreign(int fd, const fs::path& path) {
  const std::optional<MetaPage> meta = DataFile(fd, path).meta(0);
  if (!meta || !meta->is_sound()) {
    fail<Unsupported>("cannot open '{}': it is not a tq store; it is left as it is. Name another file", path.native());
  }
  if (meta->version != MetaPage::kVersion) {
    fail<Unsupported>("cannot open '{}': it is in version {} of LMDB's format, and this tq knows version {}",
                      path.native(), meta->version, MetaPage::kVersion);
  }
}

void refuse_cut_off(int fd, const fs::path& path) {
  const DataFile file(fd, path);
  const std::uint64_t size = file.size();
  const std::optional<MetaPage> meta = newest_meta(file);
  if (!meta) {
    fail<Damaged>("cannot open '{}': it is cut off or damaged: {} bytes are there, and the second meta page is not",
                  path.native(), size);
  }
  // LMDB does not write a page that was taken and given back within one transaction.
  const std::uint64_t there = size / meta->page_size();
  if (meta->last_page < there) return;
  const std::uint64_t missing = meta->last_page - there + 1;
  if (count_free(file, *meta, there) == missing) return;
  fail<Damaged>("cannot open '{}': it is cut off: {} bytes are there, and {} pages of {} bytes belong there",
                path.native(), size, meta->last_page + 1, meta->page_size());
}

}  // namespace tq::store
