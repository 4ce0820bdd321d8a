#include "power_cut/state_dir.hpp"

#include "base/fail.hpp"
#include "base/fd.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tq::test::power_cut {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPageBytes = 4096;

// What the file holds from `at` on, `size` bytes of one page. `buffer` has room for it.
const char* page_of(const FileState& file, std::uint64_t at, std::uint64_t size, char* buffer) {
  const auto first = file.sectors.lower_bound(at / kSectorBytes);
  const bool is_changed = first != file.sectors.end() && first->first * kSectorBytes < at + size;
  if (!is_changed && at + size <= file.base->size()) return file.base->data() + at;
  std::memset(buffer, 0, size);
  if (at < file.base->size()) std::memcpy(buffer, file.base->data() + at, std::min(size, file.base->size() - at));
  for (auto sector = first; sector != file.sectors.end() && sector->first * kSectorBytes < at + size; ++sector) {
    const std::uint64_t offset = sector->first * kSectorBytes - at;
    std::memcpy(buffer + offset, sector->second.data(), std::min(kSectorBytes, size - offset));
  }
  return buffer;
}

}  // namespace

FastDir::FastDir() {
  const fs::path memory = "/dev/shm";
  path_ = (fs::is_directory(memory) ? memory : fs::temp_directory_path()) / "tq-test-XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) base::throw_system("cannot make the directory '" + path_ + "'", errno);
}

FastDir::~FastDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void StateDir::hold(const DiskState& state, Disk::Random& random) {
  remove_others(state, random);
  std::map<std::uint64_t, std::string> written;
  for (const std::string& name : state.directories) ::mkdir(real(name).c_str(), 0700);
  for (const auto& [name, node] : state.names) {
    const auto [first, is_first] = written.try_emplace(node, name);
    if (is_first) {
      write(name, node, state.files.at(node));
      continue;
    }
    ::unlink(real(name).c_str());
    if (::link(real(first->second).c_str(), real(name).c_str()) != 0) base::throw_system("cannot link " + name, errno);
  }
  if (state.memory != nullptr) remember(*state.memory);
}

// The intake's memory names the file that it is about, behind its first 8 bytes.
void StateDir::remember(const Record& memory) const {
  const std::string path = real(std::string(memory.name()));
  const std::string intake = path.substr(0, path.size() - std::strlen("-ends"));
  struct stat status {};
  if (::stat(intake.c_str(), &status) != 0) return;
  std::string bytes(memory.data());
  const std::uint64_t inode = status.st_ino;
  std::memcpy(bytes.data() + sizeof inode, &inode, sizeof inode);
  const base::Fd file = base::open_file(path, O_RDWR | O_CREAT);
  base::write_all(file.get(), bytes, path);
}

void StateDir::remove_others(const DiskState& state, Disk::Random& random) {
  std::set<std::string> names(state.directories.begin(), state.directories.end());
  for (const auto& [name, node] : state.names) names.insert(name);
  for (auto entry = fs::recursive_directory_iterator(path_); entry != fs::recursive_directory_iterator(); ++entry) {
    const std::string path = entry->path();
    const std::string name = path.substr(path_.size() + 1);
    if (is_made_again(name)) {
      spoil(path, random);
    } else if (!names.contains(name)) {
      if (entry->is_directory()) entry.disable_recursion_pending();
      fs::remove_all(path);
    } else if (!entry->is_directory() && entry->hard_link_count() > 1) {
      fs::remove(path);
    }
  }
}

void StateDir::spoil(const std::string& path, Disk::Random& random) const {
  // What another state has left in this one would be a memory of what never happened.
  const bool remembers = path.ends_with("-intake-ends");
  const std::uint64_t what = random() % (remembers ? 3 : 32);
  if (what == 0) ::unlink(path.c_str());
  if (what == 1) ::truncate(path.c_str(), 0);
  if (what > 3) return;
  const base::Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) return;
  std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
  for (std::size_t at = 0; what == 2 && at + 8 <= bytes.size(); at += 8) {
    const std::uint64_t rubbish = random();
    std::memcpy(bytes.data() + at, &rubbish, sizeof rubbish);
  }
  base::write_all(file.get(), bytes, path);
}

void StateDir::write(const std::string& name, std::uint64_t node, const FileState& file) {
  const bool is_side = part_of(name) == Part::side;
  struct stat status {};
  const bool is_there = ::stat(real(name).c_str(), &status) == 0;
  const auto size = static_cast<off_t>(file.size);
  const auto known = settled_.find(name);
  if (is_there && known != settled_.end() && known->second == node && file.is_settled && status.st_size == size) return;
  settled_.erase(name);
  if (is_side && file.is_settled) settled_[name] = node;
  const base::Fd fd = base::open_file(real(name), O_RDWR | O_CREAT);
  if ((!is_there || status.st_size != size) && ::ftruncate(fd.get(), size) != 0) base::throw_system("ftruncate", errno);
  if (size == 0) return;
  void* const map = ::mmap(nullptr, file.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (map == MAP_FAILED) base::throw_system("cannot map " + name, errno);
  char* const bytes = static_cast<char*>(map);
  char buffer[kPageBytes];
  for (std::uint64_t at = 0; at < file.size; at += kPageBytes) {
    const std::uint64_t count = std::min(kPageBytes, file.size - at);
    const char* const wanted = page_of(file, at, count, buffer);
    if (std::memcmp(bytes + at, wanted, count) != 0) std::memcpy(bytes + at, wanted, count);
  }
  ::munmap(map, file.size);
}

}  // namespace tq::test::power_cut
