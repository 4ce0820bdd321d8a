// A directory in memory that is made to hold one state of a disk after the other.
#pragma once

#include "power_cut/disk.hpp"

#include <map>
#include <set>
#include <string>

namespace tq::test::power_cut {

// In memory, if there is a place for that; removed with all that is in it.
class FastDir {
 public:
  FastDir();
  ~FastDir();
  FastDir(const FastDir&) = delete;
  FastDir& operator=(const FastDir&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// One thread at a time.
class StateDir {
 public:
  // There must be nothing in it that others have put there.
  explicit StateDir(std::string path) : path_(std::move(path)) {}

  // Makes its durable files those of `state`. The others are what an earlier state has left, missing, or rubbish. Writes only
  // what differs: most of a file is as it was.
  void hold(const DiskState& state, Disk::Random& random);

 private:
  std::string real(const std::string& name) const { return path_ + '/' + name; }
  void remove_others(const DiskState& state, Disk::Random& random);
  void spoil(const std::string& path, Disk::Random& random) const;
  void remember(const Record& memory) const;
  void write(const std::string& name, std::uint64_t node, const FileState& file);

  const std::string path_;
  std::map<std::string, std::uint64_t> settled_;  // names of side files that are as they were written, with their nodes
};

}  // namespace tq::test::power_cut
