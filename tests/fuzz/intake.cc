// The intake: records as bytes, and a ring as a machine's death and bad luck may leave it. An input is a script: records that are
// appended, and bytes that are changed afterwards. What is found are records that were appended, from the first on, or damage.
#include "store/intake.hpp"

#include "base/fail.hpp"
#include "fuzz/fuzz.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

using namespace tq;

namespace {

constexpr std::size_t kRingBytes = 512 * 1024;  // the least that is taken

// A directory in memory for as long as the process runs.
class Directory {
 public:
  Directory() : path_("/dev/shm/tq-fuzz-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) base::throw_system("cannot make " + path_, errno);
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string operator/(const char* name) const { return path_ + '/' + name; }

 private:
  std::string path_;
};

void check_record(std::string_view bytes) {
  const std::uint64_t position = bytes.size() < 8 ? 0 : static_cast<unsigned char>(bytes[0]);
  const auto record = store::decode_record(bytes, position);
  store::claimed_bytes(bytes);
  if (!record || record->number == 0) return;
  std::string again;
  store::append_record(again, *record);
  const auto decoded = store::decode_record(again, position);
  fuzz::require(decoded && decoded->bytes == record->bytes && decoded->end() == record->end(),
                "a record is what it was");
}

void write_ring(const std::string& path, const std::string& bytes) {
  const base::Fd file = base::open_file(path, O_RDWR | O_CREAT | O_TRUNC);
  base::write_all(file.get(), bytes, path);
  if (::ftruncate(file.get(), kRingBytes) != 0) base::throw_system("cannot grow " + path, errno);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Directory directory;
  static store::LockFile locks("");
  fuzz::Source source(fuzz::view(data, size));
  std::vector<std::string> appended;
  std::string ring;
  store::IntakeEnd end;
  for (std::uint8_t left = source.byte() % 16; left > 0; --left) {
    appended.emplace_back(source.take(source.byte()));
    end = store::append_record(ring, {.position = end.position,
                                      .number = appended.size(),
                                      .synced = source.byte() % 2 == 0 ? 0 : end.position,
                                      .before = end.checksum,
                                      .bytes = appended.back()});
  }
  while (!source.empty() && !ring.empty()) {
    const std::size_t at = source.number() % ring.size();
    ring[at] = static_cast<char>(ring[at] ^ source.byte());
  }
  check_record(ring);
  check_record(fuzz::view(data, size));
  write_ring(directory / "ring", ring);
  fuzz::accepts([&] {
    store::Intake intake(directory / "ring", locks, {}, true);
    std::size_t found = 0;
    intake.visit({}, UINT64_MAX, [&](const store::IntakeRecord& record) {
      fuzz::require(found < appended.size() && record.bytes == appended[found], "a record is one that was appended");
      ++found;
    });
  });
  return 0;
}
