// SQLite as the queues on it use it: WAL, one table, a partial index of what is ready, a claim by UPDATE ... RETURNING;
// finished jobs are kept. Completing and claiming share a transaction, which only helps it. Mode FULL or NORMAL is its
// `synchronous`; FULL+history also keeps what tq keeps: an event for each step of a job, and counters.
#include "system.hpp"

#include <chrono>
#include <sqlite3.h>
#include <stdexcept>
#include <unistd.h>

namespace {

// One connection: one thread's.
class Connection {
 public:
  explicit Connection(const bench::Options& options) {
    sqlite3_open(options.path.c_str(), &db_);
    // Of pauses between 0 and 10 ms, and its own, this one let 8 and 16 processes write most.
    sqlite3_busy_handler(
        db_, [](void*, int) { return ::usleep(3000) + 1; }, nullptr);
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = " + options.mode.substr(0, options.mode.find('+')));
    run("CREATE TABLE IF NOT EXISTS jobs(id INTEGER PRIMARY KEY, state INTEGER NOT NULL DEFAULT 0, priority INTEGER "
        "NOT "
        "NULL DEFAULT 0, run INTEGER NOT NULL DEFAULT 0, payload BLOB NOT NULL)");
    run("CREATE INDEX IF NOT EXISTS ready ON jobs(priority, id) WHERE state = 0");
    run("CREATE TABLE IF NOT EXISTS events(seq INTEGER PRIMARY KEY, job INTEGER NOT NULL, type INTEGER NOT NULL, time "
        "INTEGER NOT NULL)");
    run("CREATE TABLE IF NOT EXISTS totals(id INTEGER PRIMARY KEY, enqueued INTEGER, started INTEGER, succeeded "
        "INTEGER)");
    run("INSERT OR IGNORE INTO totals VALUES (1, 0, 0, 0)");
  }
  ~Connection() { sqlite3_close_v2(db_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void run(const std::string& sql) {
    if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
  }
  sqlite3* get() { return db_; }
  [[noreturn]] void fail() { throw std::runtime_error(sqlite3_errmsg(db_)); }

 private:
  sqlite3* db_ = nullptr;
};

class Statement {
 public:
  Statement(Connection& connection, const char* sql) : connection_(connection) {
    if (sqlite3_prepare_v3(connection.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr) != SQLITE_OK)
      connection.fail();
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(int place, std::int64_t number) { sqlite3_bind_int64(statement_, place, number); }
  void bind(const std::string& bytes) {
    sqlite3_bind_blob(statement_, 1, bytes.data(), static_cast<int>(bytes.size()), SQLITE_STATIC);
  }
  // True if there is a row. After the last one it may be run again.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    if (sqlite3_reset(statement_) != SQLITE_OK || code != SQLITE_DONE) connection_.fail();
    return false;
  }
  std::int64_t number(int column) { return sqlite3_column_int64(statement_, column); }
  std::string bytes(int column) {
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return {static_cast<const char*>(sqlite3_column_blob(statement_, column)), size};
  }

 private:
  Connection& connection_;
  sqlite3_stmt* statement_ = nullptr;
};

class Client : public bench::Client {
 public:
  explicit Client(const bench::Options& options) : connection_(options), history_(options.mode.ends_with("+history")) {}
  void enqueue(std::span<const std::string> payloads) override {
    const bool alone = payloads.size() == 1 && !history_;  // a transaction by itself
    if (!alone) begin_.step();
    for (const std::string& payload : payloads) {
      insert_.bind(payload);
      insert_.step();
      note(sqlite3_last_insert_rowid(connection_.get()), 1);
    }
    count(payloads.size(), 0, 0);
    if (!alone) commit_.step();
  }
  std::vector<std::string> next(std::size_t limit, bool) override {
    begin_.step();
    for (const std::int64_t id : taken_) {
      complete_.bind(1, id);
      complete_.step();
      note(id, 3);
    }
    const std::size_t completed = taken_.size();
    taken_.clear();
    std::vector<std::string> payloads;
    claim_.bind(1, static_cast<std::int64_t>(limit));
    while (claim_.step()) {
      taken_.push_back(claim_.number(0));
      payloads.push_back(claim_.bytes(1));
    }
    for (const std::int64_t id : taken_) note(id, 2);
    count(0, taken_.size(), completed);
    commit_.step();
    return payloads;
  }

 private:
  void note(std::int64_t job, int type) {
    if (!history_) return;
    event_.bind(1, job);
    event_.bind(2, type);
    event_.bind(3, std::chrono::system_clock::now().time_since_epoch() / std::chrono::milliseconds(1));
    event_.step();
  }
  void count(std::size_t enqueued, std::size_t started, std::size_t succeeded) {
    if (!history_) return;
    totals_.bind(1, static_cast<std::int64_t>(enqueued));
    totals_.bind(2, static_cast<std::int64_t>(started));
    totals_.bind(3, static_cast<std::int64_t>(succeeded));
    totals_.step();
  }

  Connection connection_;
  Statement begin_{connection_, "BEGIN IMMEDIATE"};
  Statement commit_{connection_, "COMMIT"};
  Statement insert_{connection_, "INSERT INTO jobs(payload) VALUES (?)"};
  Statement complete_{connection_, "UPDATE jobs SET state = 2 WHERE id = ?"};
  Statement claim_{connection_,
                   "UPDATE jobs SET state = 1, run = run + 1 WHERE id IN (SELECT id FROM jobs WHERE state = 0 ORDER BY "
                   "priority, id LIMIT ?) RETURNING id, payload"};
  Statement event_{connection_, "INSERT INTO events(job, type, time) VALUES (?, ?, ?)"};
  Statement totals_{connection_,
                    "UPDATE totals SET enqueued = enqueued + ?, started = started + ?, succeeded = succeeded + ?"};
  bool history_;
  std::vector<std::int64_t> taken_;
};

class Sqlite : public bench::System {
 public:
  explicit Sqlite(const bench::Options& options) : options_(options) {}
  std::unique_ptr<bench::Client> client() override { return std::make_unique<Client>(options_); }
  std::uint64_t unfinished() override {
    Connection connection(options_);
    Statement count(connection, "SELECT count(*) FROM jobs WHERE state < 2");
    count.step();
    return static_cast<std::uint64_t>(count.number(0));
  }

 private:
  bench::Options options_;
};

}  // namespace

std::unique_ptr<bench::System> bench::open_system(const Options& options) { return std::make_unique<Sqlite>(options); }
