// LMDB with the records of a queue and no queue: what tq writes for each step of a job (a record, an event, its place in
// an order; counters in each commit), with sizes like tq's, without checks, checksums, or waking anybody.
#include "system.hpp"

#include <lmdb.h>
#include <stdexcept>
#include <utility>

namespace {

void check(int code) {
  if (code != 0) throw std::runtime_error(mdb_strerror(code));
}

MDB_val view(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }

std::string big_endian(std::uint64_t number) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  return bytes;
}

constexpr std::size_t kHeaderBytes = 200;
constexpr std::size_t kEventBytes = 60;
constexpr std::size_t kCounterBytes = 100;

struct Trees {
  MDB_dbi counters, jobs, events, orders;
};

// A write transaction; one that is not committed never was.
class Change {
 public:
  Change(MDB_env* env, const Trees& trees) : trees_(trees) { check(mdb_txn_begin(env, nullptr, 0, &txn_)); }
  ~Change() {
    if (txn_ != nullptr) mdb_txn_abort(txn_);
  }
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;

  void put(MDB_dbi tree, std::string_view key, std::string_view value, unsigned flags = 0) {
    MDB_val k = view(key), v = view(value);
    check(mdb_put(txn_, tree, &k, &v, flags));
  }
  void enqueue(const std::string& payload) {
    const std::string id = big_endian(next_id(trees_.jobs));
    put(trees_.jobs, id, std::string(kHeaderBytes, 'r') + payload, MDB_APPEND);
    put(trees_.orders, place('r', id), "");
    event();
  }
  // Moves a job on: its record is written anew, and it stands elsewhere.
  void step(std::string_view id, std::string_view record, char from, char to) {
    put(trees_.jobs, id, record);
    MDB_val old = view(place_ = place(from, id));
    check(mdb_del(txn_, trees_.orders, &old, nullptr));
    put(trees_.orders, place(to, id), "");
    event();
  }
  // The ids of up to `limit` jobs that are ready.
  std::vector<std::string> ready(std::size_t limit) {
    std::vector<std::string> ids;
    MDB_cursor* cursor = nullptr;
    check(mdb_cursor_open(txn_, trees_.orders, &cursor));
    MDB_val key = view("r"), value;
    for (int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE); code == 0 && ids.size() < limit;
         code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
      const std::string_view bytes(static_cast<const char*>(key.mv_data), key.mv_size);
      if (bytes[0] != 'r') break;
      ids.emplace_back(bytes.substr(bytes.size() - 8));
    }
    mdb_cursor_close(cursor);
    return ids;
  }
  std::string record(std::string_view id) {
    MDB_val key = view(id), value;
    check(mdb_get(txn_, trees_.jobs, &key, &value));
    return {static_cast<const char*>(value.mv_data), value.mv_size};
  }
  void commit() {
    put(trees_.counters, "totals", std::string(kCounterBytes, 't'));
    put(trees_.counters, "queue", std::string(kCounterBytes, 'q'));
    check(mdb_txn_commit(std::exchange(txn_, nullptr)));
  }

 private:
  static std::string place(char order, std::string_view id) { return order + std::string(20, '\0') + std::string(id); }
  std::uint64_t next_id(MDB_dbi tree) {
    std::uint64_t& next = tree == trees_.jobs ? next_job_ : next_event_;
    if (next == 0) {
      MDB_cursor* cursor = nullptr;
      check(mdb_cursor_open(txn_, tree, &cursor));
      MDB_val key, value;
      if (mdb_cursor_get(cursor, &key, &value, MDB_LAST) == 0) {
        for (std::size_t i = 0; i < 8; ++i) next = next << 8 | static_cast<const unsigned char*>(key.mv_data)[i];
      }
      mdb_cursor_close(cursor);
    }
    return ++next;
  }
  void event() { put(trees_.events, big_endian(next_id(trees_.events)), std::string(kEventBytes, 'e'), MDB_APPEND); }

  const Trees& trees_;
  MDB_txn* txn_ = nullptr;
  std::string place_;
  std::uint64_t next_job_ = 0, next_event_ = 0;
};

class Client : public bench::Client {
 public:
  Client(MDB_env* env, const Trees& trees) : env_(env), trees_(trees) {}
  void enqueue(std::span<const std::string> payloads) override {
    Change change(env_, trees_);
    for (const std::string& payload : payloads) change.enqueue(payload);
    change.commit();
  }
  std::vector<std::string> next(std::size_t limit, bool) override {
    Change change(env_, trees_);
    for (const auto& [id, record] : taken_) change.step(id, record, 'a', 'f');
    taken_.clear();
    std::vector<std::string> payloads;
    for (const std::string& id : change.ready(limit)) {
      const std::string record = change.record(id);
      change.step(id, record, 'r', 'a');
      payloads.push_back(record.substr(kHeaderBytes));
      taken_.emplace_back(id, record);
    }
    change.commit();
    return payloads;
  }

 private:
  MDB_env* env_;
  const Trees& trees_;
  std::vector<std::pair<std::string, std::string>> taken_;  // ids and records
};

class Lmdb : public bench::System {
 public:
  explicit Lmdb(const bench::Options& options) {
    check(mdb_env_create(&env_));
    check(mdb_env_set_mapsize(env_, std::size_t{64} << 30));
    check(mdb_env_set_maxdbs(env_, 4));
    check(mdb_env_open(env_, options.path.c_str(), MDB_NOSUBDIR | MDB_NOTLS, 0600));
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn));
    check(mdb_dbi_open(txn, "counters", MDB_CREATE, &trees_.counters));
    check(mdb_dbi_open(txn, "jobs", MDB_CREATE, &trees_.jobs));
    check(mdb_dbi_open(txn, "events", MDB_CREATE, &trees_.events));
    check(mdb_dbi_open(txn, "orders", MDB_CREATE, &trees_.orders));
    check(mdb_txn_commit(txn));
  }
  ~Lmdb() override { mdb_env_close(env_); }
  Lmdb(const Lmdb&) = delete;
  Lmdb& operator=(const Lmdb&) = delete;

  std::unique_ptr<bench::Client> client() override { return std::make_unique<Client>(env_, trees_); }
  std::uint64_t unfinished() override {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn));
    MDB_cursor* cursor = nullptr;
    check(mdb_cursor_open(txn, trees_.orders, &cursor));
    std::uint64_t jobs = 0;
    MDB_val key, value;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) jobs += *static_cast<const char*>(key.mv_data) != 'f';
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return jobs;
  }

 private:
  MDB_env* env_ = nullptr;
  Trees trees_ = {};
};

}  // namespace

std::unique_ptr<bench::System> bench::open_system(const Options& options) { return std::make_unique<Lmdb>(options); }
