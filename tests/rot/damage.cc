#include "rot/damage.hpp"

#include "base/bytes.hpp"
#include "base/fail.hpp"
#include "base/fd.hpp"
#include "support/random.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tq::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeadBytes = 160;  // of a page: its header and first places, or all fields of a meta page

std::string read(const std::string& path) {
  const base::Fd file = base::open_file(path, O_RDONLY);
  return base::read_all(file.get(), path);
}

std::size_t pages_of(const std::string& bytes) { return bytes.size() / kPageBytes; }

std::string flip(std::string& bytes, Random& random, std::size_t used) {
  // Half of them where the structure is: that is little, and all hangs on it.
  std::size_t at = random.below(used);
  if (random.chance(50)) at = at / kPageBytes * kPageBytes + random.below(kHeadBytes);
  at = std::min(at, bytes.size() - 1);
  const auto bit = static_cast<unsigned>(random.below(8));
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit));
  return fmt::format("bit {} of byte {} flipped", bit, at);
}

std::string zero(std::string& bytes, Random& random, std::size_t used) {
  const std::size_t at = random.below(used) / kPageBytes * kPageBytes;
  const std::size_t size = std::min(kPageBytes, bytes.size() - at);
  bytes.replace(at, size, std::string(size, '\0'));
  return fmt::format("page {} zeroed", at / kPageBytes);
}

std::string swap(std::string& bytes, Random& random, std::size_t used) {
  const std::size_t pages = std::max<std::size_t>(1, used / kPageBytes);
  const std::size_t one = random.below(pages);
  const std::size_t other = random.below(pages);
  const std::size_t end = std::min(bytes.size(), (std::max(one, other) + 1) * kPageBytes);
  const std::size_t size = std::min(kPageBytes, end - std::max(one, other) * kPageBytes);
  std::swap_ranges(bytes.data() + one * kPageBytes, bytes.data() + one * kPageBytes + size,
                   bytes.data() + other * kPageBytes);
  return fmt::format("pages {} and {} swapped", one, other);
}

std::string truncate(std::string& bytes, Random& random) {
  bytes.resize(random.chance(50) ? random.below(pages_of(bytes) + 1) * kPageBytes : random.below(bytes.size()));
  return fmt::format("cut off after {} bytes", bytes.size());
}

std::string forget(std::string& bytes, Random& random, const std::string& before) {
  const std::size_t pages = std::min(pages_of(bytes), pages_of(before));
  if (pages == 0) return "";
  const std::size_t at = random.below(pages) * kPageBytes;
  bytes.replace(at, kPageBytes, before, at, kPageBytes);
  return fmt::format("page {} as it was before", at / kPageBytes);
}

constexpr std::size_t kInodeOffset = 8;  // in `-intake-ends`

std::uint64_t inode_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) base::throw_system("cannot look at " + path, errno);
  return status.st_ino;
}

std::size_t used_bytes(const std::string& intake) { return intake.find_last_not_of('\0') + 1; }

}  // namespace

Image read_image(const std::string& store) {
  Image image;
  for (const std::string file : {"", "-intake", "-intake-ends"}) {
    if (fs::exists(store + file)) image[file] = read(store + file);
  }
  if (!fs::exists(store + "-blobs")) return image;
  for (const auto& entry : fs::directory_iterator(store + "-blobs")) {
    image["-blobs/" + entry.path().filename().native()] = read(entry.path());
  }
  return image;
}

Damages::Damages(Image image, std::vector<Image> before, std::uint64_t seed)
    : image_(std::move(image)),
      before_(std::move(before)),
      intake_used_(std::max(used_bytes(image_.at("-intake")), kPageBytes)),
      seed_(seed) {
  for (const auto& [name, bytes] : image_) {
    if (name.starts_with("-blobs/")) side_files_.push_back(name);
  }
}

Damage Damages::make(std::uint64_t number) const {
  Random random(seed_ + number * 0x9e3779b97f4a7c15);
  for (;;) {
    Damage damage;
    const std::uint64_t place = random.below(100);
    if (place >= 80) damage.file = place >= 92 ? random.pick(side_files_) : "-intake";
    const std::string& whole = image_.at(damage.file);
    damage.bytes = whole;
    const bool is_intake = damage.file == "-intake";
    const std::size_t used = is_intake && !random.chance(10) ? intake_used_ : whole.size();
    const std::uint64_t kind = random.below(100);
    if (kind < 70) {
      damage.what = flip(damage.bytes, random, used);
    } else if (kind < 78) {
      damage.what = zero(damage.bytes, random, used);
    } else if (kind < 86) {
      damage.what = swap(damage.bytes, random, used);
    } else if (kind < 90) {
      damage.what = truncate(damage.bytes, random);
    } else {
      const Image& before = random.pick(before_);
      const auto found = before.find(damage.file);
      if (found != before.end()) damage.what = forget(damage.bytes, random, found->second);
    }
    if (damage.bytes != whole) return damage;
  }
}

Patient::Patient(std::string store, Image image) : store_(std::move(store)), image_(std::move(image)) {
  fs::create_directories(store_ + "-blobs");
  for (const auto& [name, bytes] : image_) write(name, bytes);
  // Which ring the shared memory is of.
  std::string inode;
  base::append_le(inode, inode_of(store_ + "-intake"));
  image_.at("-intake-ends").replace(kInodeOffset, inode.size(), inode);
}

void Patient::write(const std::string& file, const std::string& bytes) const {
  const std::string path = store_ + file;
  const base::Fd fd = base::open_file(path, O_RDWR | O_CREAT);
  if (::ftruncate(fd.get(), static_cast<off_t>(bytes.size())) != 0) base::throw_system("cannot cut " + path, errno);
  base::write_all(fd.get(), bytes, path);
}

void Patient::restore() {
  write("", image_.at(""));
  write("-intake-ends", image_.at("-intake-ends"));
  if (!damaged_.empty()) write(damaged_, image_.at(damaged_));
}

void Patient::damage(const Damage& damage) {
  damaged_ = damage.file;
  write(damage.file, damage.bytes);
}

}  // namespace tq::test
