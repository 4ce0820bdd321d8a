#include "store/pages.hpp"

#include "base/bytes.hpp"
#include "base/fail.hpp"

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace tq::store {

TreeRecord decode_tree(std::string_view bytes) {
  base::ByteReader reader(bytes);
  TreeRecord tree;
  tree.pad = reader.le<std::uint32_t>();
  tree.flags = reader.le<std::uint16_t>();
  tree.depth = reader.le<std::uint16_t>();
  tree.branch_pages = reader.le<std::uint64_t>();
  tree.leaf_pages = reader.le<std::uint64_t>();
  tree.overflow_pages = reader.le<std::uint64_t>();
  tree.entries = reader.le<std::uint64_t>();
  tree.root = reader.le<std::uint64_t>();
  return tree;
}

bool MetaPage::is_sound() const {
  const std::uint64_t size = page_size();
  return magic == kMagic && size >= 512 && size <= 65536 && (size & (size - 1)) == 0;
}

std::uint64_t DataFile::size() const {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) base::throw_system(fmt::format("cannot look at '{}'", path_.native()), errno);
  return static_cast<std::uint64_t>(status.st_size);
}

std::string DataFile::read(std::uint64_t offset, std::size_t length) const {
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

std::optional<MetaPage> DataFile::meta(std::uint64_t offset) const {
  const std::string page = read(offset, MetaPage::kBytes);
  base::ByteReader reader(page);
  MetaPage meta;
  reader.take(kPageHeadBytes);
  meta.magic = reader.le<std::uint32_t>();
  meta.version = reader.le<std::uint32_t>();
  reader.take(16);  // address and size of the map
  meta.free = decode_tree(reader.take(TreeRecord::kBytes));
  meta.main = decode_tree(reader.take(TreeRecord::kBytes));
  meta.last_page = reader.le<std::uint64_t>();
  meta.transaction = reader.le<std::uint64_t>();
  if (!reader.ok()) return std::nullopt;
  return meta;
}

std::optional<PageNode> decode_node(std::string_view bytes, bool is_leaf) {
  constexpr std::size_t kHeadBytes = 8;
  base::ByteReader reader(bytes);
  const auto low = reader.le<std::uint32_t>();
  const auto flags = reader.le<std::uint16_t>();
  const auto key_bytes = reader.le<std::uint16_t>();
  PageNode node;
  node.key = reader.take(key_bytes);
  if (is_leaf) {
    node.size = low;
    node.flags = flags;
    node.data = reader.take((flags & kElsewhere) != 0 ? sizeof(std::uint64_t) : low);
  } else {
    node.child = low | std::uint64_t{flags} << 32;
  }
  if (!reader.ok()) return std::nullopt;
  node.page_bytes = (kHeadBytes + node.key.size() + node.data.size() + 1) / 2 * 2;
  if (node.page_bytes > bytes.size()) return std::nullopt;
  return node;
}

}  // namespace tq::store
