#include "store/page_check.hpp"

#include "base/bytes.hpp"
#include "base/fail.hpp"
#include "store/transaction_impl.hpp"

#include <algorithm>
#include <set>

namespace tq::store {
namespace {

using base::ByteReader;
using Node = PageNode;

constexpr std::size_t kMaxProblems = 100;
constexpr std::size_t kPlaceBytes = 2;          // of a node's offset
constexpr std::uint16_t kTreeFlags = 0x7f;      // those that say how keys are compared and what values are
constexpr std::uint16_t kNumbersAsKeys = 0x08;  // of those: the tree of free pages has it
constexpr std::size_t kFreeKeyBytes = 8;

// Keys of the tree of free pages are numbers as the machine has them.
std::uint64_t number_of(std::string_view key) { return ByteReader(key).le<std::uint64_t>(); }

// A tree while it is walked.
struct Walk {
  std::string name;
  TreeRecord record;
  bool is_free = false;  // the one of free pages
  bool is_main = false;  // the one of trees
  TreeRecord counted{};
  std::uint64_t last_key = 0;  // of that of free pages

  bool less(std::string_view one, std::string_view other) const {
    return is_free ? number_of(one) < number_of(other) : one < other;
  }
};

// What the keys of a page have to be: not less than the one, and less than the other.
struct Bounds {
  std::optional<std::string_view> low;
  std::optional<std::string_view> high;
};

class PageCheck {
 public:
  PageCheck(const DataFile& file, const MetaPage& meta)
      : file_(file),
        meta_(meta),
        pages_there_(file.size() / meta.page_size()),
        used_(meta.last_page < pages_there_ ? meta.last_page + 1 : pages_there_) {}

  // The tree of free pages; the number of the transaction that freed something last.
  std::uint64_t check_free_tree() {
    Walk walk{.name = "of free pages", .record = meta_.free, .is_free = true};
    check_tree(walk);
    return walk.last_key;
  }

  void check_main_tree() {
    Walk walk{.name = "of trees", .record = meta_.main, .is_main = true};
    check_tree(walk);
  }

  void check_named_trees() {
    for (Walk& tree : trees_) check_tree(tree);
  }

  void check_catalog() {
    for (Walk& tree : trees_) {
      if (tree.name == quoted(kTreeNames[0])) check_tree(tree);
    }
  }

  // Once all trees have been walked.
  void check_free_pages() {
    std::set<std::uint64_t> beyond;  // what the file does not have yet
    for (const std::uint64_t page : free_) {
      const bool is_new = page < used_.size() ? !used_[page] : beyond.insert(page).second;
      if (!is_new) {
        problem("page {} is free and in use, or free twice", page);
        continue;
      }
      if (page < used_.size()) used_[page] = true;
    }
    if (!problems_.empty()) return;  // what hangs on a broken page is not known
    if (used_.size() < kMetaPages) return problem("it has no pages");
    const auto missing = static_cast<std::uint64_t>(std::count(used_.begin() + kMetaPages, used_.end(), false));
    if (missing != 0) problem("{} pages are neither free nor in use", missing);
    const std::uint64_t last = used_.size() + beyond.size() - 1;
    if (last < meta_.last_page) problem("{} pages are missing at the end", meta_.last_page - last);
  }

  std::vector<std::string> take_problems() { return std::move(problems_); }
  std::vector<std::uint64_t> take_free_pages() { return std::move(free_); }

 private:
  static std::string quoted(std::string_view name) { return fmt::format("'{}'", name); }

  template <class... Args>
  void problem(fmt::format_string<Args...> text, Args&&... args) {
    if (problems_.size() < kMaxProblems) problems_.push_back(fmt::format(text, std::forward<Args>(args)...));
  }
  template <class... Args>
  bool page_problem(const Walk& walk, std::uint64_t page, fmt::format_string<Args...> text, Args&&... args) {
    problem("page {} of the tree {}: {}", page, walk.name, fmt::format(text, std::forward<Args>(args)...));
    return false;
  }

  void check_tree(Walk& walk) {
    const std::size_t before = problems_.size();
    const std::uint16_t flags = walk.is_free ? kNumbersAsKeys : 0;
    if ((walk.record.flags & kTreeFlags) != flags) problem("the tree {} has the wrong flags", walk.name);
    if (walk.record.root == kNoPage) {
      if (walk.record.depth != 0) problem("the tree {} has no root", walk.name);
    } else if (walk.record.depth > kDeepest) {
      problem("the tree {} is said to be {} deep, and none is deeper than {}", walk.name, walk.record.depth, kDeepest);
    } else {
      check_page(walk, walk.record.root, 1, {});
    }
    if (problems_.size() == before) compare_counts(walk);
  }

  void compare_counts(const Walk& walk) {
    const auto compare = [&](std::string_view what, std::uint64_t said, std::uint64_t is) {
      if (said != is) problem("the tree {} says that it has {} {}, but there are {}", walk.name, said, what, is);
    };
    compare("branch pages", walk.record.branch_pages, walk.counted.branch_pages);
    compare("leaf pages", walk.record.leaf_pages, walk.counted.leaf_pages);
    compare("overflow pages", walk.record.overflow_pages, walk.counted.overflow_pages);
    compare("entries", walk.record.entries, walk.counted.entries);
  }

  bool take_page(const Walk& walk, std::uint64_t number) {
    if (number < kMetaPages || number > meta_.last_page)
      return page_problem(walk, number, "there is no such page up to the last, {}", meta_.last_page);
    if (number >= used_.size()) return page_problem(walk, number, "it lies behind the end of the file");
    if (used_[number]) return page_problem(walk, number, "it is used twice");
    used_[number] = true;
    return true;
  }

  void check_page(Walk& walk, std::uint64_t number, unsigned depth, Bounds bounds) {
    if (!take_page(walk, number)) return;
    const bool is_leaf = depth >= walk.record.depth;
    const std::string page = file_.read(number * meta_.page_size(), meta_.page_size());
    const std::optional<std::vector<Node>> nodes = decode_page(walk, number, page, is_leaf);
    if (!nodes || !check_keys(walk, number, *nodes, is_leaf, bounds)) return;
    ++(is_leaf ? walk.counted.leaf_pages : walk.counted.branch_pages);
    if (is_leaf) {
      walk.counted.entries += nodes->size();
      for (const Node& node : *nodes) check_entry(walk, number, node);
      return;
    }
    for (std::size_t i = 0; i < nodes->size(); ++i) {
      const Bounds within{i == 0 ? bounds.low : (*nodes)[i].key,
                          i + 1 == nodes->size() ? bounds.high : (*nodes)[i + 1].key};
      check_page(walk, (*nodes)[i].child, depth + 1, within);
    }
  }

  // Its nodes, if it is whole.
  std::optional<std::vector<Node>> decode_page(const Walk& walk, std::uint64_t number, std::string_view page,
                                               bool is_leaf) {
    ByteReader head(page);
    const auto own_number = head.le<std::uint64_t>();
    head.take(2);
    const auto flags = head.le<std::uint16_t>();
    const auto lower = head.le<std::uint16_t>();
    const auto upper = head.le<std::uint16_t>();
    const auto broken = [&](std::string_view how) {
      page_problem(walk, number, "{}", how);
      return std::nullopt;
    };
    if (own_number != number) return broken(fmt::format("it is said to be page {}", own_number));
    if (flags != (is_leaf ? kLeafPage : kBranchPage)) return broken(is_leaf ? "it is no leaf" : "it is no branch");
    if (lower < kPageHeadBytes || lower % kPlaceBytes != 0 || lower > upper || upper > page.size())
      return broken("its bounds cannot be");
    const std::size_t count = (lower - kPageHeadBytes) / kPlaceBytes;
    if (count < (is_leaf ? 1 : 2)) return broken("it has too few entries");
    std::vector<Node> nodes;
    std::vector<std::pair<std::size_t, std::size_t>> places;  // where each is, and its size
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = head.le<std::uint16_t>();
      const std::optional<Node> node =
          at < upper || at >= page.size() ? std::nullopt : decode_node(page.substr(at), is_leaf);
      if (!node) return broken(fmt::format("entry {} does not lie within it", i));
      places.emplace_back(at, node->page_bytes);
      nodes.push_back(*node);
    }
    std::sort(places.begin(), places.end());
    std::size_t end = upper;
    for (const auto& [at, size] : places) {
      if (at != end) return broken("its entries do not lie side by side");
      end += size;
    }
    if (end != page.size()) return broken("its entries do not fill it to its end");
    return nodes;
  }

  // The first key of a branch means nothing.
  bool check_keys(const Walk& walk, std::uint64_t number, const std::vector<Node>& nodes, bool is_leaf,
                  const Bounds& bounds) {
    const std::size_t first = is_leaf ? 0 : 1;
    for (std::size_t i = first; i < nodes.size(); ++i) {
      const std::string_view key = nodes[i].key;
      if (walk.is_free && key.size() != kFreeKeyBytes) return page_problem(walk, number, "key {} is too short", i);
      if (i > first && !walk.less(nodes[i - 1].key, key))
        return page_problem(walk, number, "key {} is not in order", i);
    }
    if (bounds.low && walk.less(nodes[first].key, *bounds.low))
      return page_problem(walk, number, "its first key is less than the branch above says");
    if (bounds.high && !walk.less(nodes.back().key, *bounds.high))
      return page_problem(walk, number, "its last key is greater than the branch above says");
    return true;
  }

  void check_entry(Walk& walk, std::uint64_t number, const Node& node) {
    const std::uint16_t flags = walk.is_main ? kIsTree : 0;
    if ((node.flags & ~kElsewhere) != flags) {
      page_problem(walk, number, "an entry has the flags {}", node.flags);
      return;
    }
    std::string elsewhere;
    std::string_view data = node.data;
    if ((node.flags & kElsewhere) != 0) {
      const std::uint64_t first = ByteReader(node.data).le<std::uint64_t>();
      if (!check_overflow(walk, number, first, node.size)) return;
      if (walk.is_free) elsewhere = file_.read(first * meta_.page_size() + kPageHeadBytes, node.size);
      data = elsewhere;
    }
    if (walk.is_main) add_tree(number, walk, node);
    if (walk.is_free) add_free_pages(number, walk, node.key, data);
  }

  bool check_overflow(Walk& walk, std::uint64_t leaf, std::uint64_t first, std::uint64_t size) {
    const std::uint64_t pages = (kPageHeadBytes + size - 1) / meta_.page_size() + 1;
    for (std::uint64_t i = 0; i < pages; ++i) {
      if (!take_page(walk, first + i)) return page_problem(walk, leaf, "a large value is not where an entry says");
    }
    walk.counted.overflow_pages += pages;
    const std::string head = file_.read(first * meta_.page_size(), kPageHeadBytes);
    ByteReader reader(head);
    const auto number = reader.le<std::uint64_t>();
    reader.take(2);
    const auto flags = reader.le<std::uint16_t>();
    const auto said = reader.le<std::uint32_t>();
    if (number == first && flags == kOverflowPage && said == pages) return true;
    return page_problem(walk, first, "it is not the {} pages of a large value that it should be", pages);
  }

  void add_tree(std::uint64_t number, const Walk& walk, const Node& node) {
    if (node.data.size() != TreeRecord::kBytes) {
      page_problem(walk, number, "the record of a tree has {} bytes", node.data.size());
      return;
    }
    trees_.push_back({.name = quoted(node.key), .record = decode_tree(node.data)});
  }

  // A record: their count, then their numbers, the greatest first.
  void add_free_pages(std::uint64_t number, Walk& walk, std::string_view key, std::string_view data) {
    walk.last_key = number_of(key);
    if (walk.last_key > meta_.transaction) page_problem(walk, number, "transaction {} is yet to come", walk.last_key);
    ByteReader list(data);
    const auto count = list.le<std::uint64_t>();
    if (!list.ok() || count > list.rest().size() / sizeof(std::uint64_t)) {
      page_problem(walk, number, "a list is shorter than it says");
      return;
    }
    std::uint64_t before = meta_.last_page + 1;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto page = list.le<std::uint64_t>();
      if (page < kMetaPages || page >= before) {
        page_problem(walk, number, "a list is not in order");
        return;
      }
      free_.push_back(page);
      before = page;
    }
  }

  const DataFile& file_;
  const MetaPage& meta_;
  const std::uint64_t pages_there_;
  std::vector<bool> used_;  // up to the last page, or the end of the file
  std::vector<std::uint64_t> free_;
  std::vector<Walk> trees_;  // with names
  std::vector<std::string> problems_;
};

// The head of a meta page: LMDB has an opinion of its own on what it takes it for.
bool has_meta_head(const DataFile& file, std::uint64_t number, std::uint64_t page_size) {
  constexpr std::uint16_t kMetaFlag = 8;
  const std::string head = file.read(number * page_size, kPageHeadBytes);
  ByteReader reader(head);
  const auto own_number = reader.le<std::uint64_t>();
  reader.take(2);
  return own_number == number && reader.le<std::uint16_t>() == kMetaFlag;
}

// Transactions write the two in turn. Nothing can be said of the older one's pages: a commit that died, or failed, before its
// meta page was written has most often put its own there.
std::string problem_of_turns(const DataFile& file, const MetaPage& older, const MetaPage& newer) {
  if (newer.transaction - older.transaction != 1)
    return fmt::format("its meta pages are of the transactions {} and {}", older.transaction, newer.transaction);
  if (newer.last_page < older.last_page) return "it has become shorter from one transaction to the next";
  PageCheck check(file, newer);
  const std::uint64_t last = check.check_free_tree();
  check.check_main_tree();
  check.check_catalog();
  const std::vector<std::string> problems = check.take_problems();
  if (!problems.empty()) return problems.front();
  if (newer.transaction < 2 || last == newer.transaction) return "";
  return fmt::format("a meta page is of transaction {}, and its pages of {}", newer.transaction, last);
}

std::string problem_of_metas(const DataFile& file, const MetaPage& first, const MetaPage& second) {
  if (second.magic != MetaPage::kMagic || second.version != MetaPage::kVersion ||
      second.page_size() != first.page_size())
    return "its second meta page is not one";
  if (first.transaction == 0 && second.transaction == 0) return "";  // LMDB's, but no store yet
  const MetaPage* const metas[] = {&first, &second};
  for (std::size_t i = 0; i < kMetaPages; ++i) {
    if (!has_meta_head(file, i, first.page_size())) return fmt::format("meta page {} has a wrong head", i);
    const std::uint64_t transaction = metas[i]->transaction;
    if (transaction % kMetaPages != i) return fmt::format("meta page {} is of transaction {}", i, transaction);
  }
  const bool first_is_newer = first.transaction > second.transaction;
  return problem_of_turns(file, first_is_newer ? second : first, first_is_newer ? first : second);
}

}  // namespace

std::vector<std::string> page_problems(const DataFile& file, const MetaPage& meta) {
  PageCheck check(file, meta);
  check.check_free_tree();
  check.check_main_tree();
  check.check_named_trees();
  check.check_free_pages();
  return check.take_problems();
}

std::optional<std::vector<std::uint64_t>> free_pages(const DataFile& file, const MetaPage& meta) {
  PageCheck check(file, meta);
  check.check_free_tree();
  if (!check.take_problems().empty()) return std::nullopt;
  return check.take_free_pages();
}

std::vector<std::string> check_pages(Environment& environment) {
  const Environment::Impl& store = environment.impl();
  const std::filesystem::path name = store.name();
  const DataFile file(store.data.get(), name);
  // The meta page of a state is written over with the next but one, while the state itself is held.
  for (int attempt = 0; attempt < 100; ++attempt) {
    const ReadTransaction held = environment.read();
    const std::uint64_t transaction = mdb_txn_id(held.impl().txn);
    const std::optional<MetaPage> first = file.meta(0);
    if (!first || !first->is_sound()) return {"its first meta page is not one"};
    const std::uint64_t place = transaction % kMetaPages * first->page_size();
    const std::optional<MetaPage> meta = file.meta(place);
    if (meta && meta->is_sound() && meta->transaction == transaction) return page_problems(file, *meta);
  }
  return {"its meta pages are not those of what has been committed"};
}

void refuse_broken_roots(int fd, const std::filesystem::path& path) {
  const DataFile file(fd, path);
  const std::optional<MetaPage> first = file.meta(0);
  const std::optional<MetaPage> second = first && first->is_sound() ? file.meta(first->page_size()) : std::nullopt;
  const std::string problem = second ? problem_of_metas(file, *first, *second) : "its meta pages are not there";
  if (!problem.empty()) base::fail<Damaged>("cannot open '{}': it is damaged: {}", path.native(), problem);
}

}  // namespace tq::store
