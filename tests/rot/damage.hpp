// What time and bad disks do to files: each damage follows from its number alone.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tq::test {

inline constexpr std::size_t kPageBytes = 4096;

// The files of a store, by what their names have behind that of the store; side files with their directory.
using Image = std::map<std::string, std::string>;

// Reads the files that are durable, and `-intake-ends`.
Image read_image(const std::string& store);

// One file, with what it is to hold.
struct Damage {
  std::string what;  // for people
  std::string file;  // a key of the image
  std::string bytes;
};

// A page was lost when it was to be written: it is what it was in `before`.
class Damages {
 public:
  Damages(Image image, std::vector<Image> before, std::uint64_t seed);

  // Never one that changes nothing.
  Damage make(std::uint64_t number) const;

 private:
  Image image_;
  std::vector<Image> before_;
  std::vector<std::string> side_files_;
  std::size_t intake_used_;  // bytes
  std::uint64_t seed_;
};

// Files that are damaged and put right again in a directory of their own.
class Patient {
 public:
  Patient(std::string store, Image image);

  // All files as they were, of those that a store that is open may have changed, and the one that was damaged.
  void restore();
  void damage(const Damage& damage);
  const std::string& store() const { return store_; }

 private:
  void write(const std::string& file, const std::string& bytes) const;

  std::string store_;
  Image image_;
  std::string damaged_;
};

}  // namespace tq::test
