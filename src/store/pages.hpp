// LMDB's data file as plain bytes, as LMDB 0.9 writes it on 64-bit little-endian machines (mdb.c: MDB_meta, MDB_db, MDB_page,
// MDB_node); FORMAT.md has the layout of the meta pages.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tq::store {

inline constexpr std::uint64_t kNoPage = ~std::uint64_t{0};
inline constexpr std::size_t kPageHeadBytes = 16;
inline constexpr std::uint64_t kMetaPages = 2;
inline constexpr int kDeepest = 32;  // a tree (mdb.c: CURSOR_STACK)

// Flags of pages.
inline constexpr std::uint16_t kBranchPage = 1;
inline constexpr std::uint16_t kLeafPage = 2;
inline constexpr std::uint16_t kOverflowPage = 4;
// Flags of nodes in leaf pages.
inline constexpr std::uint16_t kElsewhere = 1;  // its data is the number of an overflow page
inline constexpr std::uint16_t kIsTree = 2;     // its data is a TreeRecord

// What LMDB knows of a tree (MDB_db).
struct TreeRecord {
  static constexpr std::size_t kBytes = 48;

  std::uint32_t pad = 0;  // of the tree of free pages: the size of a page
  std::uint16_t flags = 0;
  std::uint16_t depth = 0;
  std::uint64_t branch_pages = 0;
  std::uint64_t leaf_pages = 0;
  std::uint64_t overflow_pages = 0;
  std::uint64_t entries = 0;
  std::uint64_t root = kNoPage;
};
// Of TreeRecord::kBytes bytes.
TreeRecord decode_tree(std::string_view bytes);

struct MetaPage {
  static constexpr std::size_t kBytes = 152;
  static constexpr std::uint32_t kMagic = 0xBEEFC0DE;
  static constexpr std::uint32_t kVersion = 1;

  std::uint32_t magic = 0;
  std::uint32_t version = 0;
  TreeRecord free;  // the tree of free pages
  TreeRecord main;  // the tree of trees
  std::uint64_t last_page = 0;
  std::uint64_t transaction = 0;

  std::uint64_t page_size() const { return free.pad; }
  // Is it one of LMDB's, with a page size that can be?
  bool is_sound() const;
};

// An entry of a page.
struct PageNode {
  std::string_view key;
  std::string_view data;       // of a leaf: what lies in the page
  std::uint64_t child = 0;     // of a branch
  std::uint32_t size = 0;      // of a leaf: of its data, wherever that lies
  std::uint16_t flags = 0;     // of a leaf
  std::size_t page_bytes = 0;  // what it takes there
};

// The node at the start of `bytes`. Nothing if it does not end there.
std::optional<PageNode> decode_node(std::string_view bytes, bool is_leaf);

// What is read of it throws IoError. The descriptor and the path must outlive it.
class DataFile {
 public:
  DataFile(int fd, const std::filesystem::path& path) : fd_(fd), path_(path) {}

  std::uint64_t size() const;
  // Less, if the file ends before.
  std::string read(std::uint64_t offset, std::size_t length) const;
  // Nothing, if the file ends before the end of it.
  std::optional<MetaPage> meta(std::uint64_t offset) const;

 private:
  int fd_;
  const std::filesystem::path& path_;
};

}  // namespace tq::store
