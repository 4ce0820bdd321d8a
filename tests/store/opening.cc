// Opening: what is accepted, what is refused and left as it was, and several who open at once.
#include "store_test.hpp"

#include <algorithm>
#include <sys/mount.h>
#include <sys/resource.h>
#include <thread>

namespace tq::store {
namespace {

// Everything that can be seen of a file from outside.
struct Snapshot {
  explicit Snapshot(const std::string& path) : bytes(read_file(path)) {
    struct stat status {};
    ::lstat(path.c_str(), &status);
    inode = status.st_ino;
    mode = status.st_mode;
    changed_ns = status.st_mtim.tv_nsec;
    changed_s = status.st_mtim.tv_sec;
  }
  bool operator==(const Snapshot&) const = default;

  std::string bytes;
  ino_t inode;
  mode_t mode;
  long changed_ns, changed_s;
};

struct OpeningTest : StoreTest {
  // Refused with this exception and these words, and nothing is changed or left beside it.
  template <class Exception>
  boost::test_tools::predicate_result is_refused(std::string_view part) {
    const Snapshot before(path);
    const auto result = throws<Exception>([&] { open(); }, part);
    if (!result) return result;
    if (!throws<Exception>([&] { open(); }, path)) return false;
    if (before != Snapshot(path)) return false;
    return !exists(side("-lock"));
  }
  std::string make_store() {
    put_row(*open(), 1, "one");
    return read_file(path);
  }
};

BOOST_FIXTURE_TEST_SUITE(opening, OpeningTest)

BOOST_AUTO_TEST_CASE(a_store_is_made_where_none_is_and_found_again) {
  const std::string uuid = open()->uuid();
  BOOST_TEST(uuid.size() == 16u);
  BOOST_TEST(open()->uuid() == uuid);
}

BOOST_AUTO_TEST_CASE(every_store_has_a_uuid_of_its_own) {
  const auto other = Environment::open(directory / "other.tq", {});
  BOOST_TEST(open()->uuid() != other->uuid());
}

BOOST_AUTO_TEST_CASE(all_files_are_private) {
  ::umask(0);
  make_store();
  for (const char* suffix : {"", "-lock", "-locks"}) BOOST_TEST(mode_of(side(suffix)) == 0600u, suffix);
}

BOOST_AUTO_TEST_CASE(nothing_is_made_when_creating_is_not_wanted) {
  BOOST_TEST(throws<NotFound>([&] { open({.create = false}); }, path));
  BOOST_TEST(std::filesystem::is_empty(directory.path()));
}

BOOST_AUTO_TEST_CASE(an_existing_store_opens_without_create) {
  make_store();
  BOOST_TEST(get_row(*open({.create = false}), 1).value() == "one");
}

BOOST_AUTO_TEST_CASE(missing_directories_are_made_private) {
  const auto store = Environment::open(directory / "a/b/jobs.tq", {});
  BOOST_TEST(mode_of(directory / "a") == 0700u);
  BOOST_TEST(mode_of(directory / "a/b") == 0700u);
}

BOOST_AUTO_TEST_CASE(the_path_is_absolute_and_so_are_the_side_paths) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(directory.path());
  const auto store = Environment::open("./jobs.tq", {});
  std::filesystem::current_path(before);
  BOOST_TEST(store->path().native() == path);
  BOOST_TEST(store->side_path("-bell") == path + "-bell");
}

// --- Refusals ---

BOOST_AUTO_TEST_CASE(an_empty_path_is_refused) {
  BOOST_TEST(throws<InvalidArgument>([&] { Environment::open("", {}); }, "empty"));
}

BOOST_AUTO_TEST_CASE(a_directory_is_refused) {
  path = directory.path();
  BOOST_TEST(throws<Unsupported>([&] { open(); }, "is a directory"));
  BOOST_TEST(std::filesystem::is_empty(directory.path()));
}

BOOST_AUTO_TEST_CASE(a_path_through_a_file_is_refused) {
  write_file(path, "text");
  BOOST_TEST(throws<IoError>([&] { Environment::open(path + "/jobs.tq", {}); }, path));
  BOOST_TEST(read_file(path) == "text");
}

BOOST_AUTO_TEST_CASE(a_pipe_is_refused_without_waiting_for_its_other_end) {
  BOOST_REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  BOOST_TEST(throws<Unsupported>([&] { open(); }, "not a regular file"));
}

BOOST_AUTO_TEST_CASE(a_text_file_is_refused_untouched) {
  write_file(path, "To whom it may concern\n");
  BOOST_TEST(is_refused<Unsupported>("not a tq store"));
  write_file(path, std::string(100'000, 't'));
  BOOST_TEST(is_refused<Unsupported>("not a tq store"));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_right_in_all_but_its_first_number_is_refused_untouched) {
  std::string bytes = make_store();
  bytes[16] = static_cast<char>(bytes[16] ^ 1);
  std::filesystem::remove(side("-lock"));
  write_file(path, bytes);
  BOOST_TEST(is_refused<Unsupported>("not a tq store"));
  bytes[16] = static_cast<char>(bytes[16] ^ 1);
  bytes[20] = 2;  // the version of LMDB's format
  write_file(path, bytes);
  BOOST_TEST(is_refused<Unsupported>("version 2 of LMDB's format"));
}

BOOST_AUTO_TEST_CASE(an_empty_file_is_refused_untouched) {
  write_file(path, "");
  BOOST_TEST(is_refused<Unsupported>("not a tq store"));
}

BOOST_AUTO_TEST_CASE(a_file_that_may_not_be_written_is_refused) {
  make_store();
  ::chmod(path.c_str(), 0400);
  const int status = in_child([&] {
    ensure(::geteuid() != 0 || (::setgid(65534) == 0 && ::setuid(65534) == 0), "cannot become nobody");
    try {
      open();
    } catch (const IoError& error) {
      ensure(error.code() == EACCES, error.what());
      ensure(std::string(error.what()).find(path) != std::string::npos, error.what());
      return;
    }
    ensure(false, "it was opened");
  });
  BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_CASE(a_cut_off_file_is_refused_untouched) {
  const std::string whole = make_store();
  for (const std::size_t size : {std::size_t{4096}, std::size_t{4200}, std::size_t{8192}, whole.size() - 1}) {
    write_file(path, whole.substr(0, size));
    std::filesystem::remove(side("-lock"));
    BOOST_TEST(is_refused<Damaged>("cut off"), size);
  }
}

BOOST_AUTO_TEST_CASE(a_cut_off_file_says_how_much_is_missing) {
  const std::string whole = make_store();
  write_file(path, whole.substr(0, 12'000));
  BOOST_TEST(throws<Damaged>(
      [&] { open(); },
      fmt::format("12000 bytes are there, and {} pages of 4096 bytes belong there", whole.size() / 4096)));
}

BOOST_AUTO_TEST_CASE(more_bytes_than_the_meta_pages_say_do_no_harm) {
  const std::string whole = make_store();
  write_file(path, whole + std::string(100'000, 'x'));
  BOOST_TEST(get_row(*open(), 1).value() == "one");
}

BOOST_AUTO_TEST_CASE(a_network_file_system_and_read_only_media_are_refused) {
  // Where this may be mounted: in a mount namespace of the child's own.
  const int status = in_child([&] {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(77);
    make_store();
    if (::mount(directory.path().c_str(), directory.path().c_str(), nullptr, MS_BIND, nullptr) != 0) ::_exit(77);
    ensure(::mount(nullptr, directory.path().c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0,
           "mount");
    ensure(bool(throws<Unsupported>([&] { open(); }, "read-only file system")), "was not refused");
  });
  BOOST_TEST_WARN(status != 77, "not tried: this needs the right to mount");
  BOOST_TEST((status == 0 || status == 77));
}

// --- One file, several names ---

BOOST_AUTO_TEST_CASE(a_process_has_a_file_open_once_whatever_name_it_uses) {
  const auto store = open();
  std::filesystem::create_symlink(path, directory / "link.tq");
  std::filesystem::create_hard_link(path, directory / "hard.tq");
  std::filesystem::create_directory_symlink(directory.path(), directory / "here");
  for (const char* name : {"jobs.tq", "link.tq", "hard.tq", "./jobs.tq", "here/jobs.tq"}) {
    BOOST_TEST((Environment::open(directory / name, {}) == store), name);
  }
}

BOOST_AUTO_TEST_CASE(dots_after_a_link_lead_up_from_where_the_link_points_to) {
  std::filesystem::create_directories(directory / "a/b");
  std::filesystem::create_directory_symlink(directory / "a/b", directory / "here");
  BOOST_TEST(Environment::open(directory / "here/../jobs.tq", {})->path().native() == directory / "a/jobs.tq");
}

BOOST_AUTO_TEST_CASE(the_side_files_stand_beside_the_file_not_beside_a_link_to_it) {
  std::filesystem::create_directory(directory / "far");
  std::filesystem::create_symlink(path, directory / "far/link.tq");
  const auto store = Environment::open(directory / "far/link.tq", {});  // dangling: made where it points to
  BOOST_TEST(store->path().native() == path);
  BOOST_TEST(exists(side("-locks")));
  BOOST_TEST(!exists(directory / "far/link.tq-locks"));
  BOOST_TEST(std::filesystem::is_symlink(directory / "far/link.tq"));
}

BOOST_AUTO_TEST_CASE(links_that_lead_in_a_circle_are_refused) {
  std::filesystem::create_symlink(directory / "b", directory / "a");
  std::filesystem::create_symlink(directory / "a", directory / "b");
  BOOST_TEST(throws<IoError>([&] { Environment::open(directory / "a", {}); }, directory / "a"));
}

BOOST_AUTO_TEST_CASE(two_stores_are_two) {
  const auto other = Environment::open(directory / "other.tq", {});
  put_row(*open(), 1, "one");
  BOOST_TEST(!get_row(*other, 1).has_value());
}

BOOST_AUTO_TEST_CASE(a_file_in_use_may_not_be_opened_under_a_hard_link_by_another_process) {
  const auto store = open();
  std::filesystem::create_hard_link(path, directory / "hard.tq");
  BOOST_TEST(in_child([&] {
               ensure(bool(throws<StoreError>([&] { Environment::open(directory / "hard.tq", {}); }, "another name")),
                      "opened");
             }) == 0);
}

BOOST_AUTO_TEST_CASE(a_file_that_was_renamed_while_in_use_may_not_be_opened_by_another_process) {
  const auto store = open();
  std::filesystem::rename(path, directory / "moved.tq");
  const auto try_it = [&] { Environment::open(directory / "moved.tq", {}); };
  BOOST_TEST(in_child([&] { ensure(bool(throws<StoreError>(try_it, "another name")), "opened"); }) == 0);
}

BOOST_AUTO_TEST_CASE(a_renamed_file_opens_under_its_new_name_when_nobody_uses_it) {
  make_store();
  std::filesystem::rename(path, directory / "moved.tq");
  BOOST_TEST(get_row(*Environment::open(directory / "moved.tq", {}), 1).value() == "one");
}

BOOST_AUTO_TEST_CASE(a_file_that_was_deleted_while_in_use_is_not_made_anew_before_its_users_have_ended) {
  auto store = open();
  std::filesystem::remove(path);
  const auto try_it = [&] { ensure(bool(throws<StoreError>([&] { open(); }, "deleted file")), "opened"); };
  BOOST_TEST(in_child(try_it) == 0);
  BOOST_TEST(!exists(path));
  store.reset();
  BOOST_TEST(in_child([&] { make_store(); }) == 0);
}

BOOST_AUTO_TEST_CASE(a_file_that_was_replaced_while_in_use_is_not_opened_before_its_users_have_ended) {
  Environment::open(directory / "other.tq", {});
  const auto store = open();
  std::filesystem::rename(directory / "other.tq", path);
  const auto try_it = [&] { ensure(bool(throws<StoreError>([&] { open(); }, "was here before")), "opened"); };
  BOOST_TEST(in_child(try_it) == 0);
}

BOOST_AUTO_TEST_CASE(lock_files_that_were_deleted_while_in_use_are_missed) {
  const auto store = open();
  for (const char* suffix : {"-lock", "-locks"}) {
    std::filesystem::rename(side(suffix), side("-kept"));
    const auto try_it = [&] { ensure(bool(throws<StoreError>([&] { open(); }, "lock files")), "opened"); };
    BOOST_TEST(in_child(try_it) == 0, suffix);
    std::filesystem::rename(side("-kept"), side(suffix));
  }
}

BOOST_AUTO_TEST_CASE(side_files_may_be_missing_when_nobody_uses_the_store) {
  make_store();
  std::filesystem::remove(side("-lock"));
  std::filesystem::remove(side("-locks"));
  BOOST_TEST(get_row(*open(), 1).value() == "one");
}

// --- Many at once ---

BOOST_AUTO_TEST_CASE(a_hundred_processes_open_and_write_at_once) {
  std::vector<Child> children;
  for (std::uint64_t i = 0; i < 100; ++i) {
    children.emplace_back([&, i] { put_row(*open(), i, "x"); });
  }
  for (Child& child : children) BOOST_TEST(child.wait() == 0);
  const auto store = open();
  for (std::uint64_t i = 0; i < 100; ++i) BOOST_TEST(get_row(*store, i).has_value());
}

BOOST_AUTO_TEST_CASE(threads_that_open_and_close_at_once_share_what_is_open) {
  make_store();
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        try {
          if (get_row(*open(), 1) != "one") ++failures;
        } catch (const std::exception&) {
          ++failures;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(failures == 0);
}

// The sanitizers need more than that for themselves.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
BOOST_AUTO_TEST_CASE(a_store_opens_with_little_address_space) {
  make_store();
  BOOST_TEST(in_child([&] {
               const struct rlimit four_gib = {std::uint64_t{1} << 32, std::uint64_t{1} << 32};
               ensure(::setrlimit(RLIMIT_AS, &four_gib) == 0, "setrlimit");
               const auto store = open();
               put_row(*store, 2, "two");
               ensure(get_row(*store, 1) == "one", "not the same");
             }) == 0);
}
#endif

BOOST_AUTO_TEST_CASE(no_descriptor_survives_exec) {
  const auto store = open();
  const ReadTransaction reading = store->read();
  int inherited = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone);
    const int fd = std::stoi(entry.path().filename());
    if (target.starts_with(path) && (::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0) ++inherited;
  }
  BOOST_TEST(inherited == 0);
}

// --- In memory ---

BOOST_AUTO_TEST_CASE(a_store_in_memory_is_private_and_leaves_no_file) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(directory.path());
  const auto first = Environment::open(":memory:", {});
  const auto second = Environment::open(":memory:", {});
  std::filesystem::current_path(before);
  put_row(*first, 1, "one");
  BOOST_TEST(get_row(*first, 1).value() == "one");
  BOOST_TEST(!get_row(*second, 1).has_value());
  BOOST_TEST(first->in_memory());
  BOOST_TEST(first->path().empty());
  BOOST_TEST(first->side_path("-bell").empty());
  BOOST_TEST(std::filesystem::is_empty(directory.path()));
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone);
    BOOST_TEST((target.find("/tq-") == target.npos || target.ends_with("(deleted)")), target);
  }
}

BOOST_AUTO_TEST_CASE(a_store_in_memory_has_worker_locks) {
  const auto store = Environment::open(":memory:", {});
  const base::Fd worker = store->locks().hold_worker(3);
  BOOST_TEST(store->locks().worker_alive(3));
}

// --- After fork ---

BOOST_AUTO_TEST_CASE(a_store_may_not_be_used_in_a_forked_child) {
  const auto store = open();
  put_row(*store, 1, "one");
  BOOST_TEST(in_child([&] {
               ensure(bool(throws<StoreError>([&] { store->read(); }, "fork")), "read");
               ensure(bool(throws<StoreError>([&] { store->write(); }, "fork")), "wrote");
               ensure(bool(throws<StoreError>([&] { store->usage(); }, "fork")), "usage");
             }) == 0);
  put_row(*store, 2, "two");
  BOOST_TEST(get_row(*store, 2).value() == "two");
}

BOOST_AUTO_TEST_CASE(a_forked_child_may_open_the_store_for_itself) {
  auto store = open();
  BOOST_TEST(in_child([&] {
               auto own = open();
               ensure(own != store, "the parent's");
               put_row(*own, 1, "child");
               store.reset();  // the parent's copy: nothing happens
               put_row(*own, 2, "child");
             }) == 0);
  BOOST_TEST(get_row(*store, 2).value() == "child");
  put_row(*store, 1, "parent");
  BOOST_TEST(get_row(*store, 1).value() == "parent");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
