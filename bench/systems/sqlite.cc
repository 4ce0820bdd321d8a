// SQLite as the queues on it use it: WAL, mode FULL or NORMAL, one table, a partial index of what is ready, a claim by
// UPDATE ... RETURNING; finished jobs are kept. Completing and claiming share a transaction, which only helps it.
#include "system.hpp"

#include <sqlite3.h>
#include <stdexcept>
#include <unistd.h>

namespace {

// One connection: one thread's.
class Connection {
 public:
  explicit Connection(const bench::Options& options) {
    sqlite3_open(options.path.c_str(), &db_);
    // The timeout of SQLite itself sleeps for milliseconds, longer than most commits take.
    sqlite3_busy_handler(
        db_, [](void*, int) { return ::usleep(100) + 1; }, nullptr);
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = " + options.mode);
    run("CREATE TABLE IF NOT EXISTS jobs(id INTEGER PRIMARY KEY, state INTEGER NOT NULL DEFAULT 0, priority INTEGER "
        "NOT "
        "NULL DEFAULT 0, run INTEGER NOT NULL DEFAULT 0, payload BLOB NOT NULL)");
    run("CREATE INDEX IF NOT EXISTS ready ON jobs(priority, id) WHERE state = 0");
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

  void bind(std::int64_t number) { sqlite3_bind_int64(statement_, 1, number); }
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
  explicit Client(const bench::Options& options) : connection_(options) {}
  void enqueue(std::span<const std::string> payloads) override {
    if (payloads.size() > 1) begin_.step();
    for (const std::string& payload : payloads) {
      insert_.bind(payload);
      insert_.step();
    }
    if (payloads.size() > 1) commit_.step();
  }
  std::vector<std::string> next(std::size_t limit, bool) override {
    begin_.step();
    for (const std::int64_t id : taken_) {
      complete_.bind(id);
      complete_.step();
    }
    taken_.clear();
    std::vector<std::string> payloads;
    claim_.bind(static_cast<std::int64_t>(limit));
    while (claim_.step()) {
      taken_.push_back(claim_.number(0));
      payloads.push_back(claim_.bytes(1));
    }
    commit_.step();
    return payloads;
  }

 private:
  Connection connection_;
  Statement begin_{connection_, "BEGIN IMMEDIATE"};
  Statement commit_{connection_, "COMMIT"};
  Statement insert_{connection_, "INSERT INTO jobs(payload) VALUES (?)"};
  Statement complete_{connection_, "UPDATE jobs SET state = 2 WHERE id = ?"};
  Statement claim_{connection_,
                   "UPDATE jobs SET state = 1, run = run + 1 WHERE id IN (SELECT id FROM jobs WHERE state = 0 ORDER BY "
                   "priority, id LIMIT ?) RETURNING id, payload"};
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
