#include "store/page_salvage.hpp"

#include "base/bytes.hpp"
#include "base/fail.hpp"
#include "store/data_file.hpp"
#include "store/file_system.hpp"
#include "store/format.hpp"
#include "store/page_check.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace tq::store {
namespace {

using base::ByteReader;

using Visit = std::function<void(const PageNode&)>;

class Salvage {
 public:
  explicit Salvage(const DataFile& file, std::uint64_t page_size)
      : file_(file), page_size_(page_size), seen_(file.size() / page_size) {}

  void walk(std::uint64_t number, const Visit& visit, int depth = 0) {
    if (number < kMetaPages || number >= seen_.size() || seen_[number] || depth == kDeepest) return;
    seen_[number] = true;
    const std::string page = file_.read(number * page_size_, page_size_);
    ByteReader head(page);
    const auto own_number = head.le<std::uint64_t>();
    head.take(2);
    const auto flags = head.le<std::uint16_t>();
    const auto lower = head.le<std::uint16_t>();
    head.take(2);
    const bool is_leaf = flags == kLeafPage;
    if (own_number != number || (!is_leaf && flags != kBranchPage) || lower < kPageHeadBytes) return;
    for (std::size_t left = (lower - kPageHeadBytes) / sizeof(std::uint16_t); left > 0 && head.ok(); --left) {
      const std::size_t at = head.le<std::uint16_t>();
      const auto node = at < page.size() ? decode_node(std::string_view(page).substr(at), is_leaf) : std::nullopt;
      if (node && is_leaf) visit(*node);
      if (node && !is_leaf) walk(node->child, visit, depth + 1);
    }
  }

  // The data of an entry, wherever it lies.
  std::string data(const PageNode& node) const {
    if ((node.flags & kElsewhere) == 0) return std::string(node.data);
    const auto first = ByteReader(node.data).le<std::uint64_t>();
    if (first >= seen_.size() || node.size > (seen_.size() - first) * page_size_) return {};
    return file_.read(first * page_size_ + kPageHeadBytes, node.size);
  }

 private:
  const DataFile& file_;
  const std::uint64_t page_size_;
  std::vector<bool> seen_;
};

// The two, the newer first.
std::vector<MetaPage> metas(const DataFile& file) {
  std::vector<MetaPage> found;
  const auto first = file.meta(0);
  if (!first || !first->is_sound()) return found;
  found.push_back(*first);
  const auto second = file.meta(first->page_size());
  if (second && second->is_sound() && second->page_size() == first->page_size()) found.push_back(*second);
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.transaction > b.transaction; });
  return found;
}

std::optional<std::size_t> tree_named(std::string_view name) {
  const auto found = std::find(kTreeNames.begin(), kTreeNames.end(), name);
  if (found == kTreeNames.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kTreeNames.begin());
}

}  // namespace

bool has_sound_pages(const std::filesystem::path& path) {
  const base::Fd fd = open_data_file(path);
  try {
    refuse_cut_off(fd.get(), path);
    refuse_broken_roots(fd.get(), path);
  } catch (const Damaged&) {
    return false;
  }
  const DataFile file(fd.get(), path);
  return page_problems(file, metas(file).front()).empty();
}

void salvage_pages(const std::filesystem::path& path,
                   const std::function<void(Tree, std::string_view, std::string_view)>& visit) {
  const base::Fd fd = open_data_file(path);
  const DataFile file(fd.get(), path);
  std::array<std::optional<std::uint64_t>, kTreeCount> roots;
  const std::vector<MetaPage> states = metas(file);
  for (const MetaPage& meta : states) {
    Salvage(file, meta.page_size()).walk(meta.main.root, [&](const PageNode& node) {
      const auto tree = tree_named(node.key);
      const bool is_record = node.data.size() == TreeRecord::kBytes;
      if (tree && is_record && !roots[*tree]) roots[*tree] = decode_tree(node.data).root;
    });
  }
  if (std::none_of(roots.begin(), roots.end(), [](const auto& root) { return root.has_value(); }))
    base::fail<Damaged>("'{}' cannot be repaired, only restored from a backup: none of its trees can be found",
                        path.native());
  Salvage salvage(file, states.front().page_size());
  for (std::size_t i = 0; i < kTreeCount; ++i) {
    if (!roots[i]) continue;
    salvage.walk(*roots[i], [&](const PageNode& node) { visit(static_cast<Tree>(i), node.key, salvage.data(node)); });
  }
}

}  // namespace tq::store
