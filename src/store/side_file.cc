#include "store/side_file.hpp"

#include "base/fail.hpp"
#include "base/failpoint.hpp"
#include "store/environment_impl.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tq::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNameDigits = 16;
constexpr std::size_t kBatch = 128;  // descriptors held at once while looking for garbage

std::string directory_of(const Environment& environment) { return environment.side_path("-blobs"); }

std::string random_name() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number) base::throw_system("cannot get random bytes", errno);
  return fmt::format("{:016x}", number);
}

bool is_name(std::string_view name) {
  return name.size() == kNameDigits && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

int lock_file(int fd, int operation) {
  int result;
  do result = ::flock(fd, operation);
  while (result != 0 && errno == EINTR);
  return result;
}

void fail_at(const char* failpoint, const std::string& path) {
  if (const int code = base::failpoint_errno(failpoint))
    base::throw_system(fmt::format("cannot write '{}'", path), code);
}

// Makes the directory and sees to it that its name survives a power cut: also when another process has just made it.
void make_directory(Environment& environment, const std::string& directory) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    base::throw_system(fmt::format("cannot make the directory '{}'", directory), errno);
  }
  std::atomic<bool>& synced = environment.impl().directory_synced;
  if (synced.load()) return;
  base::sync_directory(environment.path().parent_path());
  synced.store(true);
}

}  // namespace

std::string side_file_path(const Environment& environment, const std::string& name) {
  return directory_of(environment) + "/" + name;
}

SideFile::SideFile(Environment& environment, std::string_view bytes) {
  const std::string directory = directory_of(environment);
  make_directory(environment, directory);
  while (!create(directory)) continue;
  try {
    fail_at("store.blob.created", path_);
    base::write_all(fd_.get(), bytes, path_);
    fail_at("store.blob.written", path_);
    if (::fdatasync(fd_.get()) != 0) base::throw_system(fmt::format("cannot sync '{}'", path_), errno);
    fail_at("store.blob.synced", path_);
    base::sync_directory(directory);
    fail_at("store.blob.directory", path_);
  } catch (...) {
    ::unlink(path_.c_str());
    throw;
  }
}

SideFile::~SideFile() {
  if (fd_) ::unlink(path_.c_str());
}

// False if the file was taken for garbage and removed in the moment between its creation and its lock.
bool SideFile::create(const std::string& directory) {
  name_ = random_name();
  path_ = directory + "/" + name_;
  fd_ = base::open_file(path_, O_RDWR | O_CREAT | O_EXCL);
  if (lock_file(fd_.get(), LOCK_EX) != 0) base::throw_system(fmt::format("cannot lock '{}'", path_), errno);
  struct stat status {};
  return ::fstat(fd_.get(), &status) == 0 && status.st_nlink > 0;
}

std::optional<std::string> read_side_file(const Environment& environment, const std::string& name) {
  const std::string path = side_file_path(environment, name);
  const base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd) return base::read_all(fd.get(), path);
  if (errno == ENOENT) return std::nullopt;
  base::throw_system(fmt::format("cannot open '{}'", path), errno);
}

std::optional<std::uint64_t> side_file_size(const Environment& environment, const std::string& name) {
  const std::string path = side_file_path(environment, name);
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return static_cast<std::uint64_t>(status.st_size);
  if (errno == ENOENT) return std::nullopt;
  base::throw_system(fmt::format("cannot look at '{}'", path), errno);
}

void write_side_file(Environment& environment, const std::string& name, std::string_view bytes) {
  make_directory(environment, directory_of(environment));
  const std::string path = side_file_path(environment, name);
  const base::Fd fd = base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  fail_at("store.blob.copied", path);
  base::write_all(fd.get(), bytes, path);
  if (::fdatasync(fd.get()) != 0) base::throw_system(fmt::format("cannot sync '{}'", path), errno);
}

void sync_side_files(const Environment& environment) { base::sync_directory(directory_of(environment)); }

void remove_side_file(const Environment& environment, const std::string& name) {
  ::unlink(side_file_path(environment, name).c_str());  // if it fails, it is garbage for the next collection
}

void visit_idle_side_files(const Environment& environment,
                           const std::function<void(const std::vector<std::string>&)>& visit) {
  std::vector<std::string> names;
  std::vector<base::Fd> held;
  const auto flush = [&] {
    if (!names.empty()) visit(names);
    names.clear();
    held.clear();
  };
  std::error_code missing;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory_of(environment), missing)) {
    const std::string name = entry.path().filename();
    if (!is_name(name)) continue;
    base::Fd fd(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd || lock_file(fd.get(), LOCK_EX | LOCK_NB) != 0) continue;
    names.push_back(name);
    held.push_back(std::move(fd));
    if (names.size() == kBatch) flush();
  }
  flush();
}

}  // namespace tq::store
