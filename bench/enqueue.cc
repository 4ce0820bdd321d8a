// bench-enqueue FOLDER ROUNDS
//
// Jobs added a second and durable, alone and in batches; beside it what LMDB does with as many records of that size and
// nothing else, and what an append with fdatasync does, which is as little as a disk can be asked for. They take turns in
// each round.
#include "samples.hpp"

#include <tq/tq.hpp>

#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <lmdb.h>
#include <memory>
#include <stdexcept>
#include <unistd.h>

namespace {

constexpr std::size_t kPayloadBytes = 100;

// A log: a job is its payload, a batch one write and one fdatasync.
class Append {
 public:
  explicit Append(const std::filesystem::path& path) : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600)) {}
  ~Append() { ::close(fd_); }
  Append(const Append&) = delete;
  Append& operator=(const Append&) = delete;

  void add(std::size_t count) {
    const std::string bytes(count * kPayloadBytes, 'x');
    if (::write(fd_, bytes.data(), bytes.size()) < 0 || ::fdatasync(fd_) != 0)
      throw std::runtime_error("cannot append");
  }

 private:
  int fd_;
};

// What tq writes for a batch, without tq: for each job a record, an event and an index entry, and two counters in each
// commit.
class Lmdb {
 public:
  explicit Lmdb(const std::filesystem::path& path) {
    check(mdb_env_create(&env_));
    check(mdb_env_set_mapsize(env_, std::size_t{64} << 30));
    check(mdb_env_set_maxdbs(env_, 4));
    check(mdb_env_open(env_, path.c_str(), MDB_NOSUBDIR | MDB_NOTLS, 0600));
    MDB_txn* txn = begin();
    check(mdb_dbi_open(txn, "catalog", MDB_CREATE, &catalog_));
    check(mdb_dbi_open(txn, "jobs", MDB_CREATE, &jobs_));
    check(mdb_dbi_open(txn, "events", MDB_CREATE, &events_));
    check(mdb_dbi_open(txn, "index", MDB_CREATE, &index_));
    check(mdb_txn_commit(txn));
  }
  ~Lmdb() { mdb_env_close(env_); }
  Lmdb(const Lmdb&) = delete;
  Lmdb& operator=(const Lmdb&) = delete;

  void add(std::size_t count) {
    MDB_txn* txn = begin();
    for (std::size_t i = 0; i < count; ++i) {
      const std::string number = big_endian(++id_);
      put(txn, jobs_, 'j' + number, 140 + kPayloadBytes, MDB_APPEND);
      put(txn, events_, 'e' + number, 60, MDB_APPEND);
      put(txn, index_, std::string(20, 'i') + number, 4, 0);
    }
    put(txn, catalog_, "totals", 100, 0);
    put(txn, catalog_, "queue", 100, 0);
    check(mdb_txn_commit(txn));
  }

 private:
  static void check(int code) {
    if (code != 0) throw std::runtime_error(mdb_strerror(code));
  }
  static std::string big_endian(std::uint64_t number) {
    std::string bytes;
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
    return bytes;
  }
  MDB_txn* begin() {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn));
    return txn;
  }
  static void put(MDB_txn* txn, MDB_dbi tree, std::string key, std::size_t value_bytes, unsigned flags) {
    std::string value(value_bytes, 'x');
    MDB_val k{key.size(), key.data()};
    MDB_val v{value.size(), value.data()};
    check(mdb_put(txn, tree, &k, &v, flags));
  }

  MDB_env* env_ = nullptr;
  MDB_dbi catalog_ = 0;
  MDB_dbi jobs_ = 0;
  MDB_dbi events_ = 0;
  MDB_dbi index_ = 0;
  std::uint64_t id_ = 0;
};

class Tq {
 public:
  explicit Tq(const std::filesystem::path& path) : queue_(path) {}
  void add(std::size_t count) {
    if (count == 1) {
      queue_.enqueue("measure", payload_);
    } else {
      queue_.enqueue_many(std::vector<tq::JobSpec>(count, {"measure", payload_, {}}));
    }
  }

 private:
  tq::TaskQueue queue_;
  tq::Payload payload_{"raw", std::string(kPayloadBytes, 'x')};
};

// Jobs a second, added in commits of `batch`.
template <class Target>
double rate(Target& target, std::size_t batch) {
  const std::size_t commits = batch == 1 ? 500 : batch == 10 ? 300 : batch == 100 ? 100 : 30;
  const double us = bench::time_us([&] {
    for (std::size_t i = 0; i < commits; ++i) target.add(batch);
  });
  return static_cast<double>(commits * batch) * 1e6 / us;
}

}  // namespace

int main(int argc, char* argv[]) {
  if (argc < 3) return 2;
  const std::filesystem::path folder = argv[1];
  Append append(folder / "append.log");
  Lmdb lmdb(folder / "bare.lmdb");
  Tq tq(folder / "enqueue.tq");
  for (const std::size_t batch : {1u, 10u, 100u, 1000u}) {
    std::vector<double> appended, bare, queued;
    for (int round = 0; round < std::atoi(argv[2]); ++round) {
      appended.push_back(rate(append, batch));
      bare.push_back(rate(lmdb, batch));
      queued.push_back(rate(tq, batch));
    }
    bench::print("append " + std::to_string(batch), appended);
    bench::print("lmdb " + std::to_string(batch), bare);
    bench::print("tq " + std::to_string(batch), queued);
  }
}
