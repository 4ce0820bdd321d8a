#include "engine/export.hpp"

#include "engine/ledger.hpp"
#include "engine/portable.hpp"
#include "store/blob.hpp"

#include <map>

namespace tq::engine {
namespace {

std::string name_of(State state) { return std::string(to_string(state)); }
std::string name_of(EventType type) { return std::string(to_string(type)); }
std::string name_of(Backoff::Kind kind) { return kind == Backoff::Kind::constant ? "const" : "exp"; }
std::string name_of(Stream stream) {
  return stream == Stream::out ? "stdout" : stream == Stream::err ? "stderr" : "note";
}

// Adds the fields of a record that are not as in a fresh one.
class Writer {
 public:
  explicit Writer(Record& record) : record_(record) {}

  void operator()(const char* name, const std::string& value) {
    if (!value.empty()) add(name, value);
  }
  void operator()(const char* name, const std::vector<std::string>& value) {
    if (!value.empty()) add(name, value);
  }
  void operator()(const char* name, bool value) {
    if (value) add(name, value);
  }
  template <std::integral Number>
  void operator()(const char* name, Number value) {
    if (value == 0) return;
    if constexpr (std::signed_integral<Number>) {
      if (value < 0) return add(name, std::int64_t{value});
    }
    add(name, static_cast<std::uint64_t>(value));
  }
  template <class Enumeration>
    requires std::is_enum_v<Enumeration>
  void operator()(const char* name, Enumeration value) {
    add(name, name_of(value));
  }
  void flag(const char* name, const model::JobHeader& header, model::JobFlag flag) { (*this)(name, header.has(flag)); }

 private:
  void add(const char* name, Record::Value value) { record_.fields.emplace_back(name, std::move(value)); }

  Record& record_;
};

class Exporter {
 public:
  Exporter(const store::Transaction& txn, const std::function<void(const Record&)>& take,
           const store::Progress& progress)
      : txn_(txn), take_(take), progress_(progress) {
    for (const Tree tree : {Tree::jobs, Tree::logs, Tree::events}) all_ += store::count_records(txn, tree);
  }

  std::uint64_t run() {
    give("store", [&](Writer& writer) {
      writer("format", kPortableVersion);
      writer("uuid", to_hex(txn_.environment().uuid()));
      model::Totals totals = engine::totals(txn_);
      describe(writer, totals);
    });
    give_catalogue();
    each<JobKey>([&](const JobKey& key, std::string_view value) { give_job(key.job, model::decode_job(value)); });
    each<LogKey>([&](const LogKey& key, std::string_view value) { give_output(key, model::decode_log(value)); });
    each<EventKey>([&](const EventKey& key, std::string_view value) { give_event(key, model::decode_event(value)); });
    const std::uint64_t before_end = given_;
    give("end", [&](Writer& writer) { writer("records", before_end); });
    if (progress_) progress_(all_, all_);
    return given_;
  }

 private:
  static std::string to_hex(std::string_view bytes) {
    std::string hex;
    for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return hex;
  }

  template <class Fill>
  void give(const char* kind, Fill fill) {
    Record record{kind, {}};
    Writer writer(record);
    fill(writer);
    take_(record);
    ++given_;
  }

  template <class Key, class Visit>
  void each(Visit visit) {
    store::Cursor<Key> cursor(txn_);
    for (bool more = cursor.first(); more; more = cursor.next()) {
      visit(cursor.key(), cursor.value());
      if (progress_ && ++done_ % 1000 == 0) progress_(done_, all_);
    }
  }

  void give_catalogue() {
    each<QueueKey>([&](const QueueKey& key, std::string_view value) {
      model::QueueRecord queue = model::decode_queue(value);
      queues_[key.queue] = queue.name;
      give("queue", [&](Writer& writer) { writer("number", key.queue), describe(writer, queue); });
    });
    each<TaskKey>([&](const TaskKey& key, std::string_view name) {
      tasks_[key.task] = name;
      give("task", [&](Writer& writer) { writer("number", key.task), writer("name", std::string(name)); });
    });
    each<WorkerKey>([&](const WorkerKey& key, std::string_view value) {
      model::WorkerRecord worker = model::decode_worker(value);
      give("worker", [&](Writer& writer) { writer("id", key.worker), describe(writer, worker); });
    });
    done_ = 0;
  }

  std::string blob(JobId id, store::BlobKind kind) const {
    auto bytes = store::get_blob(txn_, id, kind);
    if (!bytes) base::fail<Conflict>("job {} was removed while it was exported: export again", id);
    return std::move(*bytes);
  }

  void give_job(JobId id, model::JobRecord record) {
    PortableJob job{
        .id = id, .queue = name_in(queues_, record.header.queue), .task = name_in(tasks_, record.header.task)};
    job.header = record.header;
    job.details = model::decode_details(record.header, record.details);
    const bool is_large = record.header.has(model::kPayloadIsBlob);
    job.payload = is_large ? blob(id, store::BlobKind::payload) : std::move(record.payload);
    job.result = record.header.has(model::kResultIsBlob) ? blob(id, store::BlobKind::result) : std::move(record.result);
    job.error = std::move(record.error);
    job.has_saved = record.header.has(model::kHasSaved);
    if (job.has_saved) job.saved = blob(id, store::BlobKind::saved);
    give("job", [&](Writer& writer) { describe(writer, job); });
  }

  void give_output(const LogKey& key, model::LogRecord piece) {
    give("output", [&](Writer& writer) { writer("job", key.job), writer("seq", key.seq), describe(writer, piece); });
  }

  void give_event(const EventKey& key, model::EventRecord event) {
    give("event", [&](Writer& writer) {
      writer("seq", key.seq);
      if (event.queue != 0) writer("queue", name_in(queues_, event.queue));
      describe(writer, event);
    });
  }

  static const std::string& name_in(const std::map<std::uint32_t, std::string>& names, std::uint32_t number) {
    const auto known = names.find(number);
    if (known == names.end()) base::fail<Damaged>("number {} is not in the catalogue: run 'tq check'", number);
    return known->second;
  }

  const store::Transaction& txn_;
  const std::function<void(const Record&)>& take_;
  const store::Progress& progress_;
  std::map<std::uint32_t, std::string> queues_;
  std::map<std::uint32_t, std::string> tasks_;
  std::uint64_t given_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t all_ = 0;
};

}  // namespace

std::uint64_t export_records(const store::Transaction& txn, const std::function<void(const Record&)>& take,
                             const store::Progress& progress) {
  return Exporter(txn, take, progress).run();
}

}  // namespace tq::engine
