// The quota, and what happens when the disk is full: also on real small file systems, where this process may mount them.
#include "store/room.hpp"

#include "store/transaction_impl.hpp"
#include "store_test.hpp"

#include <cstdlib>
#include <set>
#include <sys/mount.h>
#include <sys/resource.h>

namespace tq::store {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;

std::uint64_t allocated_bytes(const std::string& path) {
  struct stat status {};
  ::stat(path.c_str(), &status);
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

void add_row(Environment& store, std::uint64_t id, std::size_t size = 3000) {
  WriteTransaction txn = store.write();
  txn.require_room();
  append(txn, Row{id}, std::string(size, 'r'));
  txn.commit(Sync::relaxed);
}

// A completion: the job's record is written anew, and an event says so.
void complete_row(Environment& store, std::uint64_t id, std::size_t size = 3000) {
  WriteTransaction txn = store.write();
  ensure(get(txn, Row{id}).has_value(), "no such row");
  put(txn, Row{id}, std::string(size, 'c'));
  txn.put(Tree::events, fmt::format("{:020}", id), "completed");
  txn.commit(Sync::relaxed);
}
bool is_completed(Environment& store, std::uint64_t id) { return get_row(store, id).value_or("").starts_with('c'); }

// Adds rows until that is refused; returns how many.
template <class Exception>
std::uint64_t add_until_refused(Environment& store, std::uint64_t first = 0) {
  for (std::uint64_t id = first;; ++id) {
    try {
      add_row(store, id);
    } catch (const Exception&) {
      return id;
    }
  }
}

BOOST_FIXTURE_TEST_SUITE(room, StoreTest)

// --- Quota ---

BOOST_AUTO_TEST_CASE(the_quota_refuses_what_adds_and_names_itself_and_the_use) {
  const auto store = open({.quota_bytes = kMiB});
  const std::uint64_t rows = add_until_refused<QueueFull>(*store);
  BOOST_TEST(rows > 200u);
  BOOST_TEST(throws<QueueFull>([&] { add_row(*store, rows); }, "of the 1048576 bytes of its quota are in use"));
  BOOST_TEST(throws<QueueFull>([&] { add_row(*store, rows); }, fmt::format("{} of the", store->usage().used_bytes)));
  BOOST_TEST(store->usage().file_bytes < 2 * kMiB);
}

BOOST_AUTO_TEST_CASE(what_does_not_ask_for_room_goes_on_beyond_the_quota) {
  const auto store = open({.quota_bytes = kMiB});
  const std::uint64_t rows = add_until_refused<QueueFull>(*store);
  for (std::uint64_t id = 0; id < rows; ++id) complete_row(*store, id);
  BOOST_CHECK_THROW(add_row(*store, rows), QueueFull);
}

BOOST_AUTO_TEST_CASE(what_was_erased_is_room_again_though_the_file_stays_as_long) {
  const auto store = open({.quota_bytes = kMiB});
  const std::uint64_t rows = add_until_refused<QueueFull>(*store);
  {
    WriteTransaction txn = store->write();
    for (std::uint64_t id = 0; id < rows / 2; ++id) erase(txn, Row{id});
    txn.commit();
  }
  for (std::uint64_t id = rows; id < rows + rows / 4; ++id) add_row(*store, id);
}

BOOST_AUTO_TEST_CASE(a_store_without_a_quota_has_none) {
  const auto store = open();
  for (std::uint64_t id = 0; id < 100; ++id) add_row(*store, id, 20'000);
  BOOST_TEST(store->usage().used_bytes > 2'000'000u);
}

BOOST_AUTO_TEST_CASE(a_store_in_memory_has_a_quota_too) {
  const auto store = Environment::open(":memory:", {.quota_bytes = kMiB});
  add_until_refused<QueueFull>(*store);
}

BOOST_AUTO_TEST_CASE(the_last_to_name_a_quota_sets_it) {
  const auto store = open({.quota_bytes = kMiB});
  const std::uint64_t rows = add_until_refused<QueueFull>(*store);
  open();
  BOOST_CHECK_THROW(add_row(*store, rows), QueueFull);
  open({.quota_bytes = 2 * kMiB});
  add_row(*store, rows);
}

BOOST_AUTO_TEST_CASE(usage_counts_pages_that_hold_something) {
  const auto store = open();
  const std::uint64_t before = store->usage().used_bytes;
  {
    WriteTransaction txn = store->write();
    for (std::uint64_t id = 0; id < 1000; ++id) append(txn, Row{id}, std::string(1000, 'x'));
    txn.commit();
  }
  const Usage full = store->usage();
  BOOST_TEST(full.used_bytes - before > 1'000'000u);
  BOOST_TEST(full.file_bytes >= full.used_bytes);
  {
    WriteTransaction txn = store->write();
    for (std::uint64_t id = 0; id < 1000; ++id) erase(txn, Row{id});
    txn.commit();
  }
  BOOST_TEST(store->usage().used_bytes < before + 100'000);
  BOOST_TEST(store->usage().file_bytes >= full.file_bytes);
}

// --- The reserve ---

BOOST_AUTO_TEST_CASE(a_store_that_is_added_to_holds_more_blocks_than_it_uses) {
  const auto store = open();
  for (std::uint64_t id = 0; id < 300; ++id) {
    add_row(*store, id, 10'000);
    BOOST_REQUIRE(allocated_bytes(path) >= extent_bytes(store->impl().env.get()) + kReserveBytes / 2);
  }
  BOOST_TEST(store->usage().file_bytes < allocated_bytes(path) - kReserveBytes / 2);  // without being as long
}

BOOST_AUTO_TEST_CASE(the_file_system_is_asked_rarely_for_more) {
  const auto store = open();
  std::set<std::uint64_t> sizes;
  for (std::uint64_t id = 0; id < 300; ++id) {
    add_row(*store, id, 10'000);
    sizes.insert(allocated_bytes(path) / (kMiB / 4));
  }
  BOOST_TEST(sizes.size() < 8u);  // for more than 3 MiB
}

BOOST_AUTO_TEST_CASE(what_only_completes_allocates_nothing) {
  put_row(*open(), 1, "x");
  BOOST_TEST(allocated_bytes(path) < kReserveBytes);
}

// Runs `body` in a child that has a small file system mounted on `directory`. 77: that is not to be had here.
int on_small_disk(const std::string& directory, const std::string& type, const std::function<void()>& body) {
  return in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(77);
    if (type == "tmpfs") {
      if (::mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=16m") != 0) ::_exit(77);
    } else {
      const std::string image = directory + ".image";
      const std::string make = fmt::format(
          "truncate -s 16M {0} && mkfs.ext4 -q -m 0 {0} && mount -o loop {0} {1} && rm {0}", image, directory);
      if (std::system((make + " >/dev/null 2>&1").c_str()) != 0) ::_exit(77);
    }
    body();
  });
}

// Takes every byte that is left.
void fill_up(const std::string& path) {
  const base::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!fd) return;
  for (std::size_t size : {1u << 20, 4096u, 1u}) {
    const std::string bytes(size, 'f');
    while (::write(fd.get(), bytes.data(), bytes.size()) > 0) continue;
  }
}

void jobs_are_completed_on_a_full_disk(const std::string& directory) {
  const auto store = Environment::open(directory + "/jobs.tq", {});
  constexpr std::uint64_t kRows = 1500;
  {
    WriteTransaction txn = store->write();
    for (std::uint64_t id = 0; id < kRows; ++id) append(txn, Row{id}, std::string(3000, 'r'));
    txn.commit();
  }
  add_row(*store, kRows);
  fill_up(directory + "/filler");
  // What is still to be had in allocated blocks is used, then adding ends; every time anew.
  const std::uint64_t rows = add_until_refused<DiskFull>(*store, kRows + 1);
  for (int i = 0; i < 10; ++i) {
    ensure(bool(throws<DiskFull>([&] { add_row(*store, rows); }, "kept for completing jobs")), "was added");
    fill_up(directory + "/filler");
  }
  for (std::uint64_t id = 0; id < rows; id += 10) complete_row(*store, id);
  for (std::uint64_t id = 0; id < rows; id += 10) ensure(is_completed(*store, id), "lost");
  {
    WriteTransaction txn = store->write();
    for (std::uint64_t id = 0; id < rows; ++id) erase(txn, Row{id});
    txn.commit();
  }
  // The room that they took is room for others, though the disk is as full as before.
  add_row(*store, rows);
  std::filesystem::remove(directory + "/filler");
  for (std::uint64_t id = 1; id < 500; ++id) add_row(*store, rows + id);
}

// Also when the file is opened by a process that never had room to make its lock file.
void a_store_is_opened_on_a_full_disk(const std::string& directory) {
  const std::string path = directory + "/jobs.tq";
  add_row(*Environment::open(path, {}), 1);
  fill_up(directory + "/filler");
  complete_row(*Environment::open(path, {}), 1);
  std::filesystem::remove(path + "-lock");
  fill_up(directory + "/filler");
  ensure(bool(throws<DiskFull>([&] { Environment::open(path, {}); }, path + "-lock")), "was opened");
  std::filesystem::remove(directory + "/filler");
  ensure(is_completed(*Environment::open(path, {}), 1), "lost");
}

// LMDB takes a write that the disk cut short for a broken disk.
void a_transaction_too_large_for_the_disk_is_refused_and_nothing_else(const std::string& directory) {
  const auto store = Environment::open(directory + "/jobs.tq", {});
  add_row(*store, 1);
  for (const std::uint64_t more : {20'000u, 18'000u, 30'001u}) {
    const auto write = [&] {
      WriteTransaction txn = store->write();
      for (std::uint64_t id = 0; id < more; ++id) append(txn, Row{10 + id}, std::string(1000, 'x'));
      txn.commit();
    };
    ensure(bool(throws<DiskFull>(write, "No space left")), "was written");
    ensure(!get_row(*store, 10).has_value(), "half of it is there");
    complete_row(*store, 1);
  }
}

void a_disk_too_full_for_a_store_gets_none(const std::string& directory) {
  fill_up(directory + "/filler");
  ensure(bool(throws<DiskFull>([&] { Environment::open(directory + "/jobs.tq", {}); }, directory + "/jobs.tq")),
         "was made");
  ensure(!exists(directory + "/jobs.tq"), "half of it is there");
  std::filesystem::remove(directory + "/filler");
  add_row(*Environment::open(directory + "/jobs.tq", {}), 1);
}

using OnDisk = void (*)(const std::string&);
void try_on_small_disks(OnDisk body) {
  for (const std::string type : {"tmpfs", "ext4"}) {
    const TempDir outside;
    std::filesystem::create_directory(outside / "disk");
    const int status = on_small_disk(outside / "disk", type, [&] { body(outside / "disk"); });
    BOOST_TEST_WARN(status != 77, "not tried on " << type << ": it cannot be mounted here");
    BOOST_TEST((status == 0 || status == 77), type << " gives " << status);
  }
}

BOOST_AUTO_TEST_CASE(jobs_are_completed_on_a_full_disk_) { try_on_small_disks(jobs_are_completed_on_a_full_disk); }
BOOST_AUTO_TEST_CASE(a_store_is_opened_on_a_full_disk_) { try_on_small_disks(a_store_is_opened_on_a_full_disk); }
BOOST_AUTO_TEST_CASE(a_transaction_too_large_for_the_disk_is_refused_and_nothing_else_) {
  try_on_small_disks(a_transaction_too_large_for_the_disk_is_refused_and_nothing_else);
}
BOOST_AUTO_TEST_CASE(a_disk_too_full_for_a_store_gets_none_) {
  try_on_small_disks(a_disk_too_full_for_a_store_gets_none);
}

// --- The limit on the size of a file ---

BOOST_AUTO_TEST_CASE(a_limit_on_file_sizes_is_a_full_disk) {
  const int status = in_child([&] {
    ::signal(SIGXFSZ, SIG_IGN);  // the program's part
    const struct rlimit limit = {3 * kMiB, 3 * kMiB};
    ensure(::setrlimit(RLIMIT_FSIZE, &limit) == 0, "setrlimit");
    const auto store = open();
    std::uint64_t rows = add_until_refused<DiskFull>(*store);
    ensure(rows > 200, "too early");
    ensure(store->usage().file_bytes < limit.rlim_cur - kReserveBytes / 2, "too late");
    for (std::uint64_t id = 0; id < rows; ++id) complete_row(*store, id);
    const auto too_much = [&] {
      WriteTransaction txn = store->write();
      for (std::uint64_t id = 0; id < 10'000; ++id) append(txn, Row{5'000'000 + id}, std::string(1000, 'x'));
      txn.commit();
    };
    ensure(bool(throws<DiskFull>(too_much, path)), "was written");
    // Up to the limit to the byte: then writes are refused (EFBIG), not cut short.
    const auto grow = [&](std::size_t size) {
      WriteTransaction txn = store->write();
      txn.put(Tree::logs, fmt::format("{:020}", ++rows), std::string(size, 'x'));
      txn.commit();
    };
    for (const std::size_t size : {40'000u, 4'000u, 1'000u, 1'000u, 1'000u, 1u}) {
      ensure(bool(throws<DiskFull>(
                 [&] {
                   for (;;) grow(size);
                 },
                 path)),
             "was written");
    }
    store->write();  // is not refused: nothing is broken
  });
  BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
