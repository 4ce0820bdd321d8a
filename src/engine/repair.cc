#include "engine/repair.hpp"

#include "base/clock.hpp"
#include "engine/ledger.hpp"
#include "engine/rebuild.hpp"
#include "engine/workers.hpp"
#include "store/blob_record.hpp"
#include "store/format.hpp"

#include <algorithm>

namespace tq::engine {
namespace {

constexpr std::size_t kMostChanges = 1000;
constexpr store::BlobKind kBlobKinds[] = {store::BlobKind::payload, store::BlobKind::result, store::BlobKind::saved};

model::JobFlag flag_of(store::BlobKind kind) {
  if (kind == store::BlobKind::payload) return model::kPayloadIsBlob;
  return kind == store::BlobKind::result ? model::kResultIsBlob : model::kHasSaved;
}

const char* name_of(store::BlobKind kind) {
  return kind == store::BlobKind::payload ? "payload" : kind == store::BlobKind::result ? "result" : "saved state";
}

class Repair {
 public:
  Repair(const store::Transaction& old, store::Environment& made, const std::vector<store::SalvagedRecord>& intake,
         Time now, const std::function<void(const Damage&)>& set_aside, const store::Progress& progress)
      : old_(old), intake_(intake), now_(now), set_aside_(set_aside), progress_(progress), rebuild_(made) {
    for (const Tree tree : {Tree::jobs, Tree::events, Tree::logs, Tree::blobs}) all_ += store::count_records(old, tree);
  }

  Repaired run() {
    take_catalogue();
    find_lost_events();
    take_jobs();
    take_intake();
    take_events();
    take_output();
    take_blobs();
    if (!has_totals_ && !bad_jobs_.empty()) totals_.next_job = std::max(totals_.next_job, *bad_jobs_.rbegin() + 1);
    rebuild_.finish(totals_);
    return std::move(repaired_);
  }

 private:
  using Key = std::string_view;
  using Value = std::optional<std::string_view>;

  // --- what is found ---

  void aside(std::string what, Tree tree, Key key, std::string_view stored) {
    ++repaired_.set_aside;
    set_aside_(
        {std::move(what), store::kTreeNames[static_cast<std::size_t>(tree)], std::string(key), std::string(stored)});
  }

  template <class... Args>
  void changed(fmt::format_string<Args...> text, Args&&... args) {
    if (repaired_.changes.size() < kMostChanges)
      repaired_.changes.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  // Visits the records of a tree that are of this kind and whole. `visit` may throw Damaged, too.
  template <class K, class Visit>
  void each(const char* what, Visit visit) {
    store::visit_tree(old_, K::kTree, [&](Key bytes, Value value, std::string_view stored) {
      const int kind = bytes.empty() ? -1 : static_cast<std::uint8_t>(bytes.front());
      if (kind != K::kKind) {
        if (!is_of_blobs(K::kTree, kind)) aside("a record of unknown kind", K::kTree, bytes, stored);
        return;
      }
      const std::string name = describe<K>(what, bytes);
      if (!value) return damaged<K>(name, bytes, stored);
      try {
        visit(store::decode_key<K>(bytes), *value);
        ++repaired_.records;
      } catch (const Damaged&) {
        damaged<K>(name, bytes, stored);
      }
      if (progress_ && ++done_ % 1000 == 0) progress_(done_, all_);
    });
  }

  // The tree of blobs is visited for each of its two kinds.
  static bool is_of_blobs(Tree tree, int kind) {
    return tree == Tree::blobs && (kind == store::BlobKey::kKind || kind == store::ChunkKey::kKind);
  }

  template <class K>
  void damaged(const std::string& name, Key bytes, std::string_view stored) {
    aside(name, K::kTree, bytes, stored);
    if constexpr (std::same_as<K, JobKey>) {
      if (bytes.size() != 9) return;
      bad_jobs_.insert(store::decode_key<JobKey>(bytes).job);
    }
  }

  template <class K>
  static std::string describe(const char* what, Key bytes) {
    if (bytes.size() < 9) return what;
    return fmt::format("{} {}", what, base::ByteReader(bytes.substr(1)).be<std::uint64_t>());
  }

  // --- the catalogue ---

  void take_catalogue() {
    std::map<std::uint32_t, std::string> queue_names;
    std::map<std::uint32_t, std::string> task_names;
    store::visit_tree(old_, Tree::catalog, [&](Key key, Value value, std::string_view stored) {
      const auto kind = key.empty() ? -1 : static_cast<int>(static_cast<std::uint8_t>(key.front()));
      try {
        if (value) return take_catalogue_record(kind, key, *value, queue_names, task_names);
      } catch (const Damaged&) {
      }
      aside("a record of the catalogue", Tree::catalog, key, stored);
      if (kind == TotalsKey::kKind) changed("the counters of the store were damaged: they count what is left");
      if (key == store::format_key()) changed("the record of the format was damaged: the store has a new identity");
      if (kind == WorkerKey::kKind) changed("the record of a worker was damaged: it counts as dead");
    });
    // Whose own record is lost is still known by its name.
    for (const auto& [number, name] : queue_names) need_queue(number, name);
    for (const auto& [number, name] : task_names) need_task(number, name);
  }

  void take_catalogue_record(int kind, Key key, std::string_view value,
                             std::map<std::uint32_t, std::string>& queue_names,
                             std::map<std::uint32_t, std::string>& task_names) {
    switch (kind) {
      case store::kStoreKind:
        if (key == store::format_key()) rebuild_.add_raw(Tree::catalog, key, value);
        return;
      case TotalsKey::kKind:
        totals_ = model::decode_totals(value);
        has_totals_ = true;
        return;
      case QueueKey::kKind:
        return rebuild_.add_queue(store::decode_key<QueueKey>(key).queue, model::decode_queue(value));
      case TaskKey::kKind:
        return rebuild_.add_task(store::decode_key<TaskKey>(key).task, std::string(value));
      case WorkerKey::kKind:
        return rebuild_.add_worker(store::decode_key<WorkerKey>(key).worker, model::decode_worker(value));
      case kQueueNameKind:
        queue_names[base::ByteReader(value).le<std::uint32_t>()] = key.substr(1);
        return;
      case kTaskNameKind:
        task_names[base::ByteReader(value).le<std::uint32_t>()] = key.substr(1);
        return;
      default:
        base::fail<Damaged>("a record of unknown kind {}", kind);
    }
  }

  static std::string free_name(std::uint32_t number, const std::function<bool(const std::string&)>& is_taken) {
    std::string name = fmt::format("recovered-{}", number);
    while (is_taken(name)) name += "-too";
    return name;
  }

  void need_queue(std::uint32_t number, std::string name = {}) {
    if (rebuild_.queues().contains(number)) return;
    if (name.empty() || rebuild_.find_queue(name)) {
      name = free_name(number, [this](const std::string& wanted) { return rebuild_.find_queue(wanted).has_value(); });
    }
    changed("queue '{}' has its default settings again: its record was damaged", name);
    model::QueueRecord queue;
    queue.name = name;
    rebuild_.add_queue(number, std::move(queue));
  }

  void need_task(std::uint32_t number, std::string name = {}) {
    if (rebuild_.tasks().contains(number)) return;
    if (name.empty() || rebuild_.find_task(name)) {
      name = free_name(number, [this](const std::string& wanted) { return rebuild_.find_task(wanted).has_value(); });
      changed("a task is called '{}' now: its name was lost", name);
    }
    rebuild_.add_task(number, name);
  }

  // --- jobs ---

  void take_jobs() {
    each<JobKey>("job", [&](const JobKey& key, std::string_view value) {
      model::JobRecord record = model::decode_job(value);
      model::decode_details(record.header, record.details);
      put_right(key.job, record);
      rebuild_.add_job(key.job, record);
    });
  }

  // What the job refers to has to be there.
  void put_right(JobId id, model::JobRecord& record) {
    model::JobHeader& header = record.header;
    need_queue(header.queue);
    need_task(header.task);
    for (const store::BlobKind kind : kBlobKinds) {
      if (header.has(flag_of(kind)) && !is_whole(id, kind)) lose_blob(id, record, kind);
    }
    if (header.state == State::running && !rebuild_.has_worker(header.worker)) {
      model::WorkerRecord worker;
      clear_copied_worker(worker);
      rebuild_.add_worker(header.worker, worker);
    }
    put_output_right(id, header);
    if (!has_events_) next_event_ = std::max(next_event_, header.last_event + 1);  // the log may begin anywhere
    for (; next_event_ <= header.last_event; ++next_event_) lost_events_[next_event_];
    if (const auto lost = lost_events_.find(header.last_event); lost != lost_events_.end()) {
      lost->second.job = id;
      lost->second.queue = header.queue;
    }
  }

  bool is_whole(JobId id, store::BlobKind kind) const {
    try {
      return store::get_blob(old_, id, kind).has_value();
    } catch (const Damaged&) {
      return false;
    }
  }

  void lose_blob(JobId id, model::JobRecord& record, store::BlobKind kind) {
    model::JobHeader& header = record.header;
    lost_blobs_.insert({id, kind});
    header.set(flag_of(kind), false);
    const std::string loss = fmt::format("its {} was damaged, and set aside by a repair", name_of(kind));
    changed("job {}: {}", id, loss);
    if (record.error.empty() || !is_final(header.state)) record.error = loss;
    if (kind != store::BlobKind::payload || is_final(header.state)) return;
    header.state = State::failed;
    header.set(model::kCancelRequested, false);
    header.set(model::kAhead, false);
    header.finished_ms = base::to_ms(now_);
    const std::int64_t keep_ms = header.result_ttl_ms >= 0 ? header.result_ttl_ms : Retention{}.failed.count();
    header.keep_until_ms = header.finished_ms + keep_ms;
    ++totals_.failed;
  }

  void put_output_right(JobId id, model::JobHeader& header) {
    std::uint64_t bytes = 0;
    store::Cursor<LogKey> cursor(old_);
    for (bool more = cursor.seek({id, 0}); more; more = cursor.next()) {
      try {
        if (cursor.key().job != id) break;
        bytes += model::decode_log(cursor.value()).bytes.size();
        header.log_next = std::max(header.log_next, cursor.key().seq + 1);
      } catch (const Damaged&) {  // set aside with the others of its tree
      }
    }
    if (bytes == header.log_bytes) return;
    changed("job {} has lost {} bytes of its output", id, header.log_bytes - std::min(bytes, header.log_bytes));
    header.log_dropped_bytes += header.log_bytes - std::min(bytes, header.log_bytes);
    header.log_bytes = bytes;
    header.log_head_bytes = std::min(header.log_head_bytes, bytes);
    header.log_dropped_after = std::min(header.log_dropped_after, header.log_next - 1);
  }

  bool exists(JobId id) const {
    if (bad_jobs_.contains(id)) return false;
    try {
      return store::get(old_, JobKey{id}).has_value();
    } catch (const Damaged&) {
      return false;
    }
  }

  // --- what lies in the intake ---

  // If it is not known how far that was taken in: numbers from next_job on are those that no transaction has taken.
  void take_intake() {
    const auto taken = store::find_intake_end(old_);
    store::IntakeEnd end = taken.value_or(store::IntakeEnd{});
    const JobId next_job = std::max(totals_.next_job, rebuild_.next_job());
    std::set<JobId> added;
    for (const store::SalvagedRecord& record : intake_) {
      if (taken && record.end.position <= taken->position) continue;
      if (!record.is_whole) {
        lose_pending(record);
        continue;
      }
      end = record.end;
      const bool is_pending = taken || record.number >= next_job;
      if (is_pending && added.insert(record.number).second) take_pending(record);
    }
    if (end != store::IntakeEnd{}) rebuild_.add_intake_end(end);
    if (!taken) changed("how far the intake had been taken in was damaged: {} of its jobs were taken in", added.size());
  }

  void lose_pending(const store::SalvagedRecord& hole) {
    ++repaired_.set_aside;
    set_aside_({"a part of the intake", "intake", std::to_string(hole.position), hole.bytes});
    changed("{} bytes of the intake were damaged", hole.bytes.size());
  }

  void take_pending(const store::SalvagedRecord& pending) {
    model::JobRecord record;
    try {
      record = model::decode_job(pending.bytes);
    } catch (const Damaged&) {
      return aside(fmt::format("job {}, in the intake", pending.number), Tree::jobs,
                   store::encode_key(JobKey{pending.number}), pending.bytes);
    }
    need_queue(record.header.queue);
    need_task(record.header.task);
    record.header.last_event = next_event_++;
    new_events_.push_back({.time_ms = record.header.enqueued_ms,
                           .type = EventType::enqueued,
                           .queue = record.header.queue,
                           .job = pending.number});
    std::string payload;
    if (record.payload.size() > model::kInlineBytes) {
      payload.swap(record.payload);
      record.header.set(model::kPayloadIsBlob);
    }
    rebuild_.add_job(pending.number, record);
    ++totals_.enqueued;
    if (!payload.empty()) rebuild_.add_blob(pending.number, store::BlobKind::payload, std::move(payload));
    ++repaired_.records;
  }

  // --- events ---

  // The log has no gaps: where one was, there is an event of the type `lost`, which ends the chain of its job.
  void find_lost_events() {
    EventSeq last = 0;
    const auto lose = [&](EventSeq until) {
      for (; last != 0 && last + 1 < until; ++last) lost_events_[last + 1];
    };
    store::visit_tree(old_, Tree::events, [&](Key bytes, Value value, std::string_view) {
      try {
        const EventSeq seq = store::decode_key<EventKey>(bytes).seq;
        if (!value || seq <= last) return;
        const model::EventRecord event = model::decode_event(*value);
        lose(seq);
        last = seq;
        totals_.next_job = std::max(totals_.next_job, event.job + 1);  // should they be damaged
        totals_.next_worker = std::max(totals_.next_worker, event.worker + 1);
        if (const auto lost = lost_events_.find(event.previous); lost != lost_events_.end()) {
          lost->second = {.queue = event.queue, .job = event.job};
        }
      } catch (const Damaged&) {
      }
    });
    lose(totals_.next_event);
    has_events_ = last != 0;
    next_event_ = std::max(totals_.next_event, last + 1);
  }

  void take_events() {
    std::int64_t time_ms = base::to_ms(now_);
    auto lost = lost_events_.begin();
    const auto fill_up_to = [&](EventSeq seq) {
      for (; lost != lost_events_.end() && lost->first < seq; ++lost) {
        lost->second.time_ms = time_ms;
        lost->second.type = EventType::lost;
        rebuild_.add_event(lost->first, lost->second);
      }
    };
    each<EventKey>("event", [&](const EventKey& key, std::string_view value) {
      const model::EventRecord event = model::decode_event(value);
      fill_up_to(key.seq);
      time_ms = event.time_ms;
      if (event.queue != 0) need_queue(event.queue);
      rebuild_.add_event(key.seq, event);
    });
    fill_up_to(next_event_);
    EventSeq seq = next_event_ - new_events_.size();
    for (const model::EventRecord& event : new_events_) rebuild_.add_event(seq++, event);
    if (!lost_events_.empty()) changed("{} events were lost", lost_events_.size());
  }

  // --- output and blobs ---

  void take_output() {
    each<LogKey>("output of job", [&](const LogKey& key, std::string_view value) {
      const model::LogRecord piece = model::decode_log(value);
      if (!exists(key.job)) base::fail<Damaged>("its job is lost");
      rebuild_.add_output(key.job, key.seq, piece);
    });
  }

  bool keeps_blob(JobId job, std::uint8_t kind) const {
    const auto blob = static_cast<store::BlobKind>(kind);
    if (kind < 1 || kind > 3 || !exists(job) || lost_blobs_.contains({job, blob})) return false;
    return model::decode_job_header(*store::get(old_, JobKey{job})).has(flag_of(blob));
  }

  // Kept as they are: side files keep their names.
  void take_blobs() {
    each<store::ChunkKey>("part of a blob of job", [&](const store::ChunkKey& key, std::string_view value) {
      if (!keeps_blob(key.job, key.kind)) base::fail<Damaged>("its job or its other parts are lost");
      rebuild_.add_raw(Tree::blobs, store::encode_key(key), value);
    });
    each<store::BlobKey>("blob of job", [&](const store::BlobKey& key, std::string_view value) {
      if (!keeps_blob(key.job, key.kind)) base::fail<Damaged>("its job or its parts are lost");
      rebuild_.add_raw(Tree::blobs, store::encode_key(key), value);
    });
  }

  const store::Transaction& old_;
  const std::vector<store::SalvagedRecord>& intake_;
  const Time now_;
  const std::function<void(const Damage&)>& set_aside_;
  const store::Progress& progress_;
  Rebuild rebuild_;
  Repaired repaired_;
  model::Totals totals_;
  bool has_totals_ = false;
  bool has_events_ = false;
  std::set<JobId> bad_jobs_;
  std::set<std::pair<JobId, store::BlobKind>> lost_blobs_;
  std::map<EventSeq, model::EventRecord> lost_events_;
  std::vector<model::EventRecord> new_events_;
  EventSeq next_event_ = 1;
  std::uint64_t done_ = 0;
  std::uint64_t all_ = 0;
};

}  // namespace

Repaired repair(const store::Transaction& old, store::Environment& made,
                const std::vector<store::SalvagedRecord>& intake, Time now,
                const std::function<void(const Damage&)>& set_aside, const store::Progress& progress) {
  return Repair(old, made, intake, now, set_aside, progress).run();
}

}  // namespace tq::engine
