#include "store/data_file.hpp"

#include "base/bytes.hpp"
#include "base/fail.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace tq::store {
namespace {

namespace fs = std::filesystem;
using base::ByteReader;
using base::fail;

constexpr std::uint32_t kMagic = 0xBEEFC0DE;
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kPageHeadBytes = 16;
constexpr std::uint16_t kBranch = 1;     // flag of a page
constexpr std::uint16_t kLeaf = 2;       // flag of a page
constexpr std::uint16_t kElsewhere = 1;  // flag of a node: its data is the number of a page
constexpr int kDeepest = 32;             // of a tree
constexpr std::uint64_t kNoPage = ~std::uint64_t{0};

bool is_page_size(std::uint64_t size) { return size >= 512 && size <= 65536 && (size & (size - 1)) == 0; }

class DataFile {
 public:
  DataFile(int fd, const fs::path& path) : fd_(fd), path_(path) {}

  std::uint64_t size() const {
    struct stat status {};
    if (::fstat(fd_, &status) != 0) base::throw_system(fmt::format("cannot look at '{}'", path_.native()), errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

  // Less, if the file ends before.
  std::string read(std::uint64_t offset, std::size_t length) const {
    std::string bytes(length, 0);
    std::size_t got = 0;
    while (got < length) {
      const ssize_t count = ::pread(fd_, bytes.data() + got, length - got, static_cast<off_t>(offset + got));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) base::throw_system(fmt::format("cannot read '{}'", path_.native()), errno);
      if (count == 0) break;
      got += static_cast<std::size_t>(count);
    }
    bytes.resize(got);
    return bytes;
  }

 private:
  int fd_;
  const fs::path& path_;
};

struct Meta {
  static constexpr std::size_t kBytes = 152;

  std::uint32_t magic = 0;
  std::uint32_t version = 0;
  std::uint64_t page_size = 0;
  std::uint64_t free_root = 0;  // of the tree of free pages
  std::uint64_t last_page = 0;
  std::uint64_t transaction = 0;
};

std::optional<Meta> read_meta(const DataFile& file, std::uint64_t offset) {
  const std::string page = file.read(offset, Meta::kBytes);
  ByteReader reader(page);
  Meta meta;
  reader.take(kPageHeadBytes);
  meta.magic = reader.le<std::uint32_t>();
  meta.version = reader.le<std::uint32_t>();
  reader.take(16);  // address and size of the map
  meta.page_size = reader.le<std::uint32_t>();
  reader.take(36);
  meta.free_root = reader.le<std::uint64_t>();
  reader.take(48);  // the tree of trees
  meta.last_page = reader.le<std::uint64_t>();
  meta.transaction = reader.le<std::uint64_t>();
  if (!reader.ok()) return std::nullopt;
  return meta;
}

// The valid one of the two, if both are there.
std::optional<Meta> newest_meta(const DataFile& file) {
  const std::optional<Meta> first = read_meta(file, 0);
  if (!first || first->magic != kMagic || !is_page_size(first->page_size)) return std::nullopt;
  const std::optional<Meta> second = read_meta(file, first->page_size);
  if (!second || second->magic != kMagic) return std::nullopt;
  return second->transaction > first->transaction ? second : first;
}

// The tree of free pages: each record holds some, as their count and their numbers, 8 bytes each.
class FreePages {
 public:
  FreePages(const DataFile& file, const Meta& meta) : file_(file), meta_(meta) {}

  // How many pages from `first` to the last one are free. Stops at what is no page of a tree.
  std::uint64_t count_from(std::uint64_t first) {
    first_ = first;
    found_.clear();
    if (meta_.free_root != kNoPage) read_tree(meta_.free_root, 0);
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    return found_.size();
  }

 private:
  void read_tree(std::uint64_t number, int depth) {
    if (number > meta_.last_page || depth == kDeepest) return;
    const std::string page = file_.read(number * meta_.page_size, meta_.page_size);
    ByteReader head(page);
    head.take(10);
    const auto flags = head.le<std::uint16_t>();
    const auto lower = head.le<std::uint16_t>();
    head.take(2);
    if (!head.ok() || lower < kPageHeadBytes || (flags & (kBranch | kLeaf)) == 0) return;
    for (std::size_t left = (lower - kPageHeadBytes) / 2; left > 0; --left) {
      const std::size_t at = head.le<std::uint16_t>();
      if (at >= page.size()) return;
      read_node(std::string_view(page).substr(at), (flags & kLeaf) != 0, depth);
    }
  }

  void read_node(std::string_view bytes, bool is_leaf, int depth) {
    ByteReader node(bytes);
    const auto low = node.le<std::uint32_t>();
    const auto flags = node.le<std::uint16_t>();
    node.take(node.le<std::uint16_t>());  // the key
    if (!is_leaf) {
      read_tree(low | std::uint64_t{flags} << 32, depth + 1);
    } else if ((flags & kElsewhere) != 0) {
      const auto number = node.le<std::uint64_t>();
      if (number <= meta_.last_page) read_list(file_.read(number * meta_.page_size + kPageHeadBytes, low));
    } else {
      read_list(node.take(low));
    }
  }

  void read_list(std::string_view bytes) {
    ByteReader list(bytes);
    list.take(8);
    while (list.rest().size() >= 8) {
      const auto number = list.le<std::uint64_t>();
      if (number >= first_ && number <= meta_.last_page) found_.push_back(number);
    }
  }

  const DataFile& file_;
  const Meta& meta_;
  std::uint64_t first_ = 0;
  std::vector<std::uint64_t> found_;
};

}  // namespace

void refuse_foreign(int fd, const fs::path& path) {
  const std::optional<Meta> meta = read_meta(DataFile(fd, path), 0);
  if (!meta || meta->magic != kMagic || !is_page_size(meta->page_size)) {
    fail<Unsupported>("cannot open '{}': it is not a tq store; it is left as it is. Name another file", path.native());
  }
  if (meta->version != kVersion) {
    fail<Unsupported>("cannot open '{}': it is in version {} of LMDB's format, and this tq knows version {}",
                      path.native(), meta->version, kVersion);
  }
}

void refuse_cut_off(int fd, const fs::path& path) {
  const DataFile file(fd, path);
  const std::uint64_t size = file.size();
  const std::optional<Meta> meta = newest_meta(file);
  if (!meta) {
    fail<Damaged>("cannot open '{}': it is cut off: {} bytes are there, and the second meta page is not", path.native(),
                  size);
  }
  // LMDB does not write a page that was taken and given back within one transaction.
  const std::uint64_t there = size / meta->page_size;
  const std::uint64_t missing = meta->last_page + 1 - std::min(there, meta->last_page + 1);
  if (missing == 0 || FreePages(file, *meta).count_from(there) == missing) return;
  fail<Damaged>("cannot open '{}': it is cut off: {} bytes are there, and {} pages of {} bytes belong there",
                path.native(), size, meta->last_page + 1, meta->page_size);
}

}  // namespace tq::store
