// A disk under a file system, made from the recorder's log: what is on it for certain, and what may be. A power cut leaves one
// of the states that `cut` draws.
//
// The model is stricter than any one file system, but for its last three lines:
//
//   a write     may be on the disk from its beginning on; is on it when a sync of its file has ended that began after it had
//               ended, or its own O_DSYNC; until then each of its sectors of 512 bytes is there or not by itself
//   a sector    is one of the contents that it had: written whole, in the order of its writes
//   a size      is one that the file had, whatever of its contents is there: cut short, or zeros at the end
//   a name      made, moved or removed is so when a sync of its directory has ended that began after it; a sync of the file is
//               nothing to its name (on ext4 it is); until then each is done or not by itself
//   a rename    is done at both places or at neither
//   a file that is unlinked leaves its blocks to nobody else; blocks that were never written read as zeros
//   what a sync has made durable stays: disks that lie, and blocks that rot, are the business of tests/rot
#pragma once

#include "power_cut/log.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace tq::test::power_cut {

using Sector = std::array<char, kSectorBytes>;

// A file as a power cut leaves it: `base`, but for these sectors, and of that size.
struct FileState {
  const std::string* base = nullptr;
  std::map<std::uint64_t, Sector> sectors;
  std::uint64_t size = 0;
  bool is_settled = true;  // nothing of it was open to chance
};

// Names below the directory, with directories before what is in them; two names of one file have one node.
struct DiskState {
  std::vector<std::string> directories;
  std::vector<std::pair<std::string, std::uint64_t>> names;
  std::map<std::uint64_t, FileState> files;  // by node
  const Record* memory = nullptr;            // an older or the last state of a shared memory
};

// One thread at a time. What `apply` is given must outlive it.
class Disk {
 public:
  using Random = std::mt19937_64;

  // `inode`: of the directory itself.
  explicit Disk(std::uint64_t inode);
  // A file or a directory that was there, durable, when the recording began.
  void add_file(const std::string& name, std::uint64_t inode, std::string bytes);
  void add_directory(const std::string& name, std::uint64_t inode);

  // The next record, at its position in the log.
  void apply(std::uint64_t position, const Record& record);

  // What a power cut now may leave.
  DiskState cut(Random& random) const;
  // What the processes see.
  DiskState newest() const;

 private:
  using Node = std::uint64_t;  // of a file or directory; 0: none
  // Is what was done at that position, to that node (and there, to that sector), on the disk?
  using Choice = std::function<bool(std::uint64_t position, Node node, std::uint64_t sector)>;

  struct Fragment {  // of a write: within one sector
    std::uint64_t position;
    std::uint32_t offset;
    std::string_view bytes;  // without data: zeros
  };
  struct Resize {
    std::uint64_t position;
    std::uint64_t size;
  };
  struct File {
    std::string base;  // durable
    std::uint64_t size = 0;
    std::map<std::uint64_t, std::vector<Fragment>> pending;  // by sector
    std::vector<Resize> sizes;                               // since `base`
  };
  struct Change {  // of a name
    Node directory;
    std::string name;
    Node node;  // 0: it goes
  };
  struct Step {  // changes that happen together
    std::uint64_t position;
    std::vector<Change> changes;
  };
  using Entries = std::map<std::pair<Node, std::string>, Node>;

  Node node_of(std::string_view name) const;
  Change change(std::string_view name, Node node) const;
  void add_step(std::uint64_t position, std::vector<Change> changes);
  void give_inode(std::uint64_t inode, Node node) { inodes_[inode] = node; }
  void write(std::uint64_t position, File& file, std::uint64_t offset, std::string_view bytes, std::uint64_t size);
  void resize(std::uint64_t position, File& file, std::uint64_t size);
  void settle(File& file, std::uint64_t before);
  void settle_range(File& file, std::uint64_t position, std::uint64_t offset, std::uint64_t size);
  void settle_names(Node directory, std::uint64_t before);

  DiskState make(const Choice& choice, const Choice& name_choice, Random* random) const;
  FileState make_file(Node node, const File& file, const Choice& choice, Random* random) const;
  Choice draw_choice(Random& random) const;
  Choice draw_name_choice(Random& random) const;

  std::map<std::uint64_t, Node> inodes_;  // numbers are used again, nodes are not
  std::map<Node, File> files_;
  std::map<Node, bool> directories_;
  Entries durable_;
  Entries current_;
  std::vector<Step> steps_;  // not durable
  std::vector<const Record*> memories_;
  Node next_ = 1;
  std::uint64_t last_ = 0;                         // position
  std::map<std::uint64_t, const Record*> writes_;  // by position
};

}  // namespace tq::test::power_cut
