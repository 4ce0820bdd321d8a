#include "base/text.hpp"
#include "engine/check.hpp"
#include "engine/export.hpp"
#include "engine/portable.hpp"
#include "engine/rebuild.hpp"
#include "store/format.hpp"

#include <algorithm>
#include <limits>

namespace tq::engine {
namespace {

template <class... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> text, Args&&... args) {
  base::fail<InvalidArgument>(text, std::forward<Args>(args)...);
}

void parse(const std::string& name, State& state) {
  const auto known = parse_state(name);
  if (!known) refuse("there is no state '{}'", name);
  state = *known;
}
void parse(const std::string& name, EventType& type) {
  const auto known = parse_event_type(name);
  if (!known) refuse("there is no type of event '{}'", name);
  type = *known;
}
void parse(const std::string& name, Backoff::Kind& kind) {
  if (name != "const" && name != "exp") refuse("there is no backoff '{}': it is const or exp", name);
  kind = name == "const" ? Backoff::Kind::constant : Backoff::Kind::exponential;
}
void parse(const std::string& name, Stream& stream) {
  if (name != "stdout" && name != "stderr" && name != "note") refuse("there is no stream '{}'", name);
  stream = name == "stdout" ? Stream::out : name == "stderr" ? Stream::err : Stream::note;
}

// Takes the fields out of a record; what is missing has its default.
class Reader {
 public:
  explicit Reader(const Record& record) : record_(record) {}

  template <class T>
  void operator()(const char* name, T& value) {
    value = T{};
    const Record::Value* const given = find(name);
    if (given != nullptr) read(name, *given, value);
  }
  template <class Enumeration>
    requires std::is_enum_v<Enumeration>
  void operator()(const char* name, Enumeration& value) {
    std::string text;
    (*this)(name, text);
    parse(text, value);
  }
  void flag(const char* name, model::JobHeader& header, model::JobFlag flag) {
    bool is_set = false;
    (*this)(name, is_set);
    header.set(flag, is_set);
  }
  // Nothing may be left that nobody knows.
  void finish() const {
    for (const auto& [name, value] : record_.fields) {
      if (std::find(known_.begin(), known_.end(), name) == known_.end()) refuse("a {} has no '{}'", record_.kind, name);
    }
  }

 private:
  const Record::Value* find(const char* name) {
    known_.emplace_back(name);
    for (const auto& [known, value] : record_.fields) {
      if (known == name) return &value;
    }
    return nullptr;
  }

  template <class T>
  void read(const char* name, const Record::Value& given, T& value) const {
    if constexpr (std::integral<T> && !std::same_as<T, bool>) {
      const auto* const positive = std::get_if<std::uint64_t>(&given);
      const auto* const negative = std::get_if<std::int64_t>(&given);
      if (positive != nullptr && std::in_range<T>(*positive)) return void(value = static_cast<T>(*positive));
      if (negative != nullptr && std::in_range<T>(*negative)) return void(value = static_cast<T>(*negative));
      refuse("'{}' of a {} is no number from {} to {}", name, record_.kind, std::numeric_limits<T>::min(),
             std::numeric_limits<T>::max());
    } else {
      const T* const right = std::get_if<T>(&given);
      if (right == nullptr) refuse("'{}' of a {} is of the wrong type", name, record_.kind);
      value = *right;
    }
  }

  const Record& record_;
  std::vector<std::string_view> known_;
};

class Importer {
 public:
  explicit Importer(store::Environment& made) : made_(made), rebuild_(made) {}

  // The first one is the store's.
  void take(const Record& record) {
    if ((record.kind == "store") != (taken_ == 0)) {
      refuse("{}", taken_ == 0 ? "this is no export of a store: it does not begin with a record 'store'"
                               : "there is a second record 'store'");
    }
    Reader reader(record);
    take(record, reader);
    reader.finish();
    ++taken_;
  }

  bool ended() const { return ended_; }

  std::uint64_t finish() {
    if (!ended_) refuse("the export is cut off: it does not end with a record 'end'");
    rebuild_.finish(totals_);
    store::collect_side_files(made_);  // what an attempt that was killed has left
    const CheckReport report = check(made_.read(), true);
    if (!report.problems.empty()) refuse("the export does not hold together: {}", report.problems.front());
    return taken_;
  }

 private:
  void take(const Record& record, Reader& reader) {
    if (ended_) refuse("there is a record behind the record 'end'");
    if (record.kind == "store") return take_store(reader);
    if (record.kind == "queue") return take_queue(reader);
    if (record.kind == "task") return take_task(reader);
    if (record.kind == "worker") return take_worker(reader);
    if (record.kind == "job") return take_job(reader);
    if (record.kind == "output") return take_output(reader);
    if (record.kind == "event") return take_event(reader);
    if (record.kind == "end") return take_end(reader);
    refuse("there is no kind of record '{}'", record.kind);
  }

  void take_store(Reader& reader) {
    std::uint64_t version = 0;
    std::string uuid;
    reader("format", version), reader("uuid", uuid);
    if (version > kPortableVersion) {
      refuse("the export is of version {}, and this tq knows up to {}", version, kPortableVersion);
    }
    rebuild_.add_raw(Tree::catalog, store::format_key(),
                     store::encode_format({store::current_format().version, from_hex(uuid)}));
    describe(reader, totals_);
  }

  static std::string from_hex(const std::string& hex) {
    const bool is_hex = hex.size() == 32 && hex.find_first_not_of("0123456789abcdef") == hex.npos;
    if (!is_hex) refuse("'uuid' of a store is not 32 hexadecimal digits");
    std::string bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
      bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    }
    return bytes;
  }

  void take_queue(Reader& reader) {
    std::uint32_t number = 0;
    model::QueueRecord queue;
    reader("number", number), describe(reader, queue);
    base::check_name("queue", queue.name);
    if (number == 0 || rebuild_.find_queue(queue.name) || rebuild_.queues().contains(number)) {
      refuse("queue '{}' is there twice, or has no number", queue.name);
    }
    rebuild_.add_queue(number, std::move(queue));
  }

  void take_task(Reader& reader) {
    std::uint32_t number = 0;
    std::string name;
    reader("number", number), reader("name", name);
    base::check_name("task", name);
    if (number == 0 || rebuild_.find_task(name) || rebuild_.tasks().contains(number)) {
      refuse("task '{}' is there twice, or has no number", name);
    }
    rebuild_.add_task(number, name);
  }

  void take_worker(Reader& reader) {
    WorkerId id = 0;
    model::WorkerRecord worker;
    reader("id", id), describe(reader, worker);
    require_order("worker", last_worker_, id);
    rebuild_.add_worker(id, worker);
  }

  std::uint32_t queue_number(const std::string& name) const {
    const auto number = rebuild_.find_queue(name);
    if (!number) refuse("there is no queue '{}' before this", name);
    return *number;
  }

  // Numbers come in order, so that none is there twice.
  template <class Number>
  void require_order(const char* what, Number& last, Number number) const {
    if (number <= last) refuse("{} {} is not above {}, which is before it", what, number, last);
    last = number;
  }

  void add_blob(JobId id, store::BlobKind kind, std::string& bytes) { rebuild_.add_blob(id, kind, std::move(bytes)); }

  void take_job(Reader& reader) {
    PortableJob job;
    describe(reader, job);
    require_order("job", last_job_, job.id);
    const auto task = rebuild_.find_task(job.task);
    if (!task) refuse("there is no task '{}' before this", job.task);
    job.header.queue = queue_number(job.queue);
    job.header.task = *task;
    model::JobRecord record;
    record.header = job.header;
    record.details = model::encode_details(record.header, job.details);
    const bool payload_is_large = job.payload.size() > model::kInlineBytes;
    const bool result_is_large = job.result.size() > model::kInlineBytes;
    record.header.set(model::kPayloadIsBlob, payload_is_large);
    record.header.set(model::kResultIsBlob, result_is_large);
    record.header.set(model::kHasSaved, job.has_saved);
    if (!payload_is_large) record.payload = std::move(job.payload);
    if (!result_is_large) record.result = std::move(job.result);
    record.error = std::move(job.error);
    rebuild_.add_job(job.id, record);
    if (payload_is_large) add_blob(job.id, store::BlobKind::payload, job.payload);
    if (result_is_large) add_blob(job.id, store::BlobKind::result, job.result);
    if (job.has_saved) add_blob(job.id, store::BlobKind::saved, job.saved);
  }

  void take_output(Reader& reader) {
    std::pair<JobId, std::uint64_t> key;
    model::LogRecord piece;
    reader("job", key.first), reader("seq", key.second), describe(reader, piece);
    if (key <= last_output_) refuse("piece {} of the output of job {} is out of order", key.second, key.first);
    last_output_ = key;
    rebuild_.add_output(key.first, key.second, piece);
  }

  void take_event(Reader& reader) {
    EventSeq seq = 0;
    std::string queue;
    model::EventRecord event;
    reader("seq", seq), reader("queue", queue), describe(reader, event);
    require_order("event", last_event_, seq);
    if (!queue.empty()) event.queue = queue_number(queue);
    rebuild_.add_event(seq, event);
  }

  void take_end(Reader& reader) {
    std::uint64_t records = 0;
    reader("records", records);
    if (records != taken_) refuse("the export says that it has {} records, but there are {}", records, taken_);
    ended_ = true;
  }

  store::Environment& made_;
  Rebuild rebuild_;
  model::Totals totals_;
  std::uint64_t taken_ = 0;
  WorkerId last_worker_ = 0;
  JobId last_job_ = 0;
  std::pair<JobId, std::uint64_t> last_output_;
  EventSeq last_event_ = 0;
  bool ended_ = false;
};

}  // namespace

std::uint64_t import_records(store::Environment& made, const std::function<std::optional<Record>()>& next) {
  Importer importer(made);
  while (const auto record = next()) importer.take(*record);
  return importer.finish();
}

}  // namespace tq::engine
