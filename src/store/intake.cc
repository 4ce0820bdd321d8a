#include "store/intake.hpp"

#include "base/fail.hpp"
#include "base/failpoint.hpp"
#include "base/futex.hpp"
#include "store/creation.hpp"
#include "store/file_system.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tq::store {

// In `-intake-ends`. All zero when the file is made.
struct Intake::Shared {
  struct End {
    std::atomic<std::uint64_t> position;
    std::atomic<std::uint32_t> checksum;
  };
  std::atomic<std::uint64_t> magic;  // kMagic once the rest is valid
  std::atomic<std::uint64_t> inode;  // of the ring; 0: there is none yet
  std::array<End, 2> ends;           // one of them is at `head`; the other may be half written by who was killed
  std::atomic<std::uint64_t> head;
  std::atomic<std::uint64_t> synced;
  std::atomic<std::uint64_t> taken;
  std::atomic<std::uint64_t> kept;
  std::atomic<std::uint64_t> next;      // number to be given out
  std::atomic<std::uint32_t> flushes;   // counted, to sleep on
  std::atomic<std::uint32_t> sleepers;  // at least as many as sleep
};

namespace {

constexpr std::uint64_t kMagic = 0x31656b61746e6974;
constexpr std::size_t kSharedBytes = 4096;
constexpr std::size_t kChunkBytes = 16 * 1024;  // read at once
// Whoever waits for a flush of another process looks after that one's life so often.
// Whoever opens a store alone reads what is pending. More than this is taken in, so that the next one need not.
constexpr std::uint64_t kLongRecoveryBytes = 64 * 1024;
constexpr Duration kFlushPatience{10};

void raise(std::atomic<std::uint64_t>& value, std::uint64_t to) {
  std::uint64_t now = value.load();
  while (now < to && !value.compare_exchange_weak(now, to)) continue;
}

void fail_at(const char* failpoint, const std::string& path) {
  if (const int code = base::failpoint_errno(failpoint))
    base::throw_system(fmt::format("cannot write '{}'", path), code);
}

void write_zeros(const std::string& path) {
  const base::Fd file = base::open_file(path, O_WRONLY | O_CREAT | O_EXCL);
  const std::string zeros(Intake::kRingBytes, '\0');
  base::write_all(file.get(), zeros, path);
}

bool may_have_size(std::uint64_t bytes) {
  struct rlimit limit {};
  return ::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= bytes;
}

}  // namespace

class Intake::Lock {
 public:
  explicit Lock(Intake& intake) : intake_(intake), threads_(intake.append_mutex_) { intake.locks_.lock_intake(); }
  ~Lock() { intake_.locks_.unlock_intake(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Intake& intake_;
  const std::lock_guard<std::mutex> threads_;
};

Intake::Intake(std::string path, LockFile& locks, IntakeEnd taken, bool is_first)
    : path_(std::move(path)),
      locks_(locks),
      map_(path_ + "-ends", kSharedBytes),
      shared_(*static_cast<Shared*>(map_.get())) {
  static_assert(sizeof(Shared) <= kSharedBytes && std::atomic<std::uint64_t>::is_always_lock_free);
  if (is_first) {
    recover(taken);
  } else if (shared_.magic.load() != kMagic) {
    base::fail<StoreError>("'{}-ends' was replaced while the store is open; end the processes that have it open",
                           path_);
  }
}

Intake::~Intake() = default;

// --- opening --------------------------------------------------------------------------------------------------------

// The caller holds the write lock, and nobody else has the store open.
void Intake::recover(IntakeEnd taken) {
  struct stat status {};
  const bool is_there = ::stat(path_.c_str(), &status) == 0;
  const std::uint64_t synced = is_there ? remembered(taken, status.st_ino) : 0;
  // What it remembers is kept until all of that is found: a second look is to miss the same.
  if (synced == 0) shared_.magic.store(0);
  shared_.inode.store(is_there ? status.st_ino : 0);
  IntakeEnd end = taken;
  std::uint64_t next = 1;
  if (has_file()) {
    end = visit(taken, UINT64_MAX, [&](const IntakeRecord& record) { next = std::max(next, record.number + 1); });
    refuse_lost_records(end, synced);
  }
  shared_.magic.store(0);
  recovered_bytes_ = end.position - taken.position;
  shared_.ends[0].position.store(end.position);
  shared_.ends[0].checksum.store(end.checksum);
  shared_.ends[1].position.store(UINT64_MAX);
  shared_.head.store(end.position);
  shared_.synced.store(std::max(taken.position, synced));
  shared_.taken.store(taken.position);
  shared_.kept.store(taken.position);
  shared_.next.store(next);
  shared_.sleepers.store(0);
  shared_.magic.store(kMagic);
}

// How far `-intake-ends` remembers a flush of this very ring; 0 if it remembers nothing. After a power cut it may be any older
// state of itself, which is no harm. Beside files that come from elsewhere it is another ring's, or knows of more that is
// durable in the data file than that has.
std::uint64_t Intake::remembered(IntakeEnd taken, std::uint64_t inode) const {
  const bool is_of_this =
      shared_.magic.load() == kMagic && shared_.inode.load() == inode && shared_.kept.load() <= taken.position;
  return is_of_this ? shared_.synced.load() : 0;
}

// What had been flushed up to `synced`, or behind the end a record which says that something there had been flushed: it was
// acknowledged, and is damaged now.
void Intake::refuse_lost_records(IntakeEnd end, std::uint64_t synced) {
  const auto refuse = [&] {
    base::fail<Damaged>("'{}' is damaged: the record at {} does not match its checksum, and was acknowledged", path_,
                        end.position % ring_bytes_);
  };
  if (synced > end.position) refuse();
  const std::string bytes = read(end.position, kChunkBytes);
  for (std::size_t at = kIntakeAlign; at < bytes.size(); at += kIntakeAlign) {
    const auto record = decode_record(std::string_view(bytes).substr(at), end.position + at);
    if (record && record->synced > end.position) refuse();
  }
}

// Opens the ring if there is one. False if there is none yet.
bool Intake::has_file() {
  const std::lock_guard lock(file_mutex_);
  if (file_) return true;
  if (shared_.inode.load() == 0) return false;
  open_ring();
  return true;
}

void Intake::open_ring() {
  base::Fd file = base::open_file(path_, O_RDWR);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) base::throw_system(fmt::format("cannot look at '{}'", path_), errno);
  if (status.st_ino != shared_.inode.load()) {
    base::fail<StoreError>("'{}' was replaced while the store is open; end the processes that have it open", path_);
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (!is_ring_size(size)) {
    base::fail<Damaged>("'{}' is damaged: it has {} bytes, and {} were written", path_, size, kRingBytes);
  }
  finish_creation(file.get(), path_);
  ring_bytes_ = size;
  file_ = std::move(file);
}

// Within the lock. False if there is no room for it: then all goes without.
bool Intake::make_file() {
  if (has_file()) return true;
  if (is_unavailable_) return false;
  try {
    if (!may_have_size(kRingBytes)) throw DiskFull("", EFBIG);
    create_file(path_, write_zeros);
  } catch (const IoError&) {
    is_unavailable_ = true;
    return false;
  }
  shared_.inode.store(identify(path_).value().second);
  return has_file();
}

// --- reading --------------------------------------------------------------------------------------------------------

// To the end of the lap at most.
std::string Intake::read(std::uint64_t position, std::size_t most) const {
  const std::uint64_t offset = position % ring_bytes_;
  std::string bytes(std::min<std::uint64_t>(most, ring_bytes_ - offset), '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t count =
        ::pread(file_.get(), bytes.data() + got, bytes.size() - got, static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) base::throw_system(fmt::format("cannot read '{}'", path_), errno);
    if (count == 0) base::fail<Damaged>("'{}' is damaged: it was cut off", path_);
    got += static_cast<std::size_t>(count);
  }
  return bytes;
}

IntakeEnd Intake::visit(IntakeEnd from, std::uint64_t upto, const std::function<void(const IntakeRecord&)>& visit) {
  if (from.position >= upto || !has_file()) return from;
  IntakeEnd end = from;
  std::string buffer;
  std::string_view bytes;  // at `end`
  while (end.position < upto) {
    const std::uint64_t lap = ring_bytes_ - end.position % ring_bytes_;
    if (lap < kIntakeHeadBytes) {
      end.position += lap;
      bytes = {};
      continue;
    }
    const std::uint64_t claimed = claimed_bytes(bytes);
    if (claimed == 0 || claimed > bytes.size()) {
      bytes = buffer = read(end.position, std::max<std::uint64_t>(kChunkBytes, claimed));
      if (const std::uint64_t all = claimed_bytes(bytes); all > bytes.size()) {
        if (all > lap) return end;
        bytes = buffer = read(end.position, all);
      }
    }
    const auto record = decode_record(bytes, end.position);
    if (!record || record->before != end.checksum) return end;
    if (record->number != 0) visit(*record);
    bytes.remove_prefix(record->end().position - end.position);
    end = record->end();
  }
  return end;
}

bool Intake::is_pending() const { return shared_.head.load() != shared_.taken.load(); }

std::uint64_t Intake::pending_bytes() const {
  const std::uint64_t taken = shared_.taken.load();
  return std::max(shared_.head.load(), taken) - taken;
}

// --- writing --------------------------------------------------------------------------------------------------------

Intake::Added Intake::add(std::string_view bytes, const std::function<void()>& seen) {
  TQ_ASSERT(bytes.size() <= kMostBytes);
  Item item{bytes, seen, {}};
  gathering_.join(item, [this](std::span<Item* const> items) { write(items); });
  return item.added;
}

void Intake::write(std::span<Item* const> items) {
  IntakeEnd end;
  {
    const Lock lock(*this);
    if (!make_file()) return;
    try {
      end = write_records(items);
    } catch (const DiskFull&) {  // where files are copied on write; nothing has been published
      for (Item* item : items) item->added = {};
      return;
    }
  }
  TQ_FAILPOINT("store.intake.published");
  for (const Item* item : items) {
    if (item->added.number != 0) item->seen();
  }
  sync(end.position);
  TQ_FAILPOINT("store.intake.synced");
}

// Within the lock. Those for which there is no room get no number.
IntakeEnd Intake::write_records(std::span<Item* const> items) {
  const IntakeEnd begin = end();
  const std::uint64_t synced = shared_.synced.load();
  const std::uint64_t limit = shared_.kept.load() + ring_bytes_;
  std::uint64_t next = shared_.next.load();
  IntakeEnd end = begin;
  std::uint64_t written = begin.position;  // up to here
  std::string bytes;                       // from there on
  for (Item* item : items) {
    const std::uint64_t size = intake_record_bytes(item->bytes.size());
    const std::uint64_t lap = ring_bytes_ - end.position % ring_bytes_;
    const bool wraps = size > lap;
    if (end.position + (wraps ? lap : 0) + size > limit) break;
    if (wraps) {
      if (lap >= kIntakeHeadBytes) end = append_filler(bytes, end.position, synced, end.checksum, lap);
      write_at(written, bytes);
      bytes.clear();
      written = end.position = begin.position - begin.position % ring_bytes_ + ring_bytes_;
    }
    item->added.number = next++;
    end = append_record(bytes, {.position = end.position,
                                .number = item->added.number,
                                .synced = synced,
                                .before = end.checksum,
                                .bytes = item->bytes});
  }
  write_at(written, bytes);
  TQ_FAILPOINT("store.intake.written");
  shared_.next.store(next);
  publish(end);
  const std::uint64_t half = shared_.kept.load() + ring_bytes_ / 2;
  const bool was_long = std::exchange(recovered_bytes_, 0) >= kLongRecoveryBytes;
  items.front()->added.fills_up = was_long || (begin.position < half && end.position >= half);
  return end;
}

void Intake::write_at(std::uint64_t position, std::string_view bytes) const {
  fail_at("store.intake.write", path_);
  auto offset = static_cast<off_t>(position % ring_bytes_);
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(file_.get(), bytes.data(), bytes.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) base::throw_system(fmt::format("cannot write '{}'", path_), errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
    offset += count;
  }
}

// One flushes for all who have written by then; the others sleep until it is done.
void Intake::sync(std::uint64_t upto) {
  for (;;) {
    const std::uint32_t ticket = shared_.flushes.load();
    if (shared_.synced.load() >= upto) return;
    if (!locks_.try_lock_flush()) {
      shared_.sleepers.fetch_add(1);
      base::futex_wait(shared_.flushes, ticket, base::kFutexAll, kFlushPatience);
      shared_.sleepers.fetch_sub(1);
      continue;
    }
    const std::uint64_t head = shared_.head.load();
    int code = ::fdatasync(file_.get()) == 0 ? 0 : errno;
    if (base::failpoint_errno("store.intake.sync") != 0) code = EIO;
    if (code == 0) raise(shared_.synced, head);
    locks_.unlock_flush();
    shared_.flushes.fetch_add(1);
    if (shared_.sleepers.load() != 0) base::futex_wake(shared_.flushes, base::kFutexAll);
    // Nobody knows what has reached the disk: for want of space, too, this is no failure to go on after.
    if (code != 0) throw IoError(fmt::format("cannot sync '{}': {}", path_, base::system_reason(code)), code);
  }
}

IntakeEnd Intake::end() const {
  const std::uint64_t head = shared_.head.load();
  for (const Shared::End& end : shared_.ends) {
    if (end.position.load() == head) return {head, end.checksum.load()};
  }
  base::fail<StoreError>("'{}-ends' is damaged; end all processes that have the store open", path_);
}

// In such an order that a death in between leaves the old end, or the new one.
void Intake::publish(IntakeEnd end) {
  Shared::End& slot = shared_.ends[shared_.ends[0].position.load() == shared_.head.load() ? 1 : 0];
  slot.position.store(UINT64_MAX);
  slot.checksum.store(end.checksum);
  slot.position.store(end.position);
  shared_.head.store(end.position);
}

// --- numbers, and what the store has --------------------------------------------------------------------------------

void Intake::raise_next(std::uint64_t number) {
  if (shared_.next.load() >= number) return;
  const Lock lock(*this);
  raise(shared_.next, number);
}

Intake::Reserved Intake::reserve(std::size_t count) {
  if (count == 0) return {0, shared_.head.load()};
  const Lock lock(*this);
  return {shared_.next.fetch_add(count), shared_.head.load()};
}

void Intake::give_back(std::uint64_t first, std::size_t count) {
  const Lock lock(*this);
  if (shared_.next.load() == first + count) shared_.next.store(first);
}

void Intake::took(std::uint64_t end, bool durable) {
  raise(shared_.taken, end);
  if (durable) raise(shared_.kept, shared_.taken.load());
}

}  // namespace tq::store
