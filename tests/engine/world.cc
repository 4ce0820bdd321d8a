#include "world.hpp"

#include <algorithm>
#include <ostream>

namespace tq {

std::ostream& boost_test_print_type(std::ostream& out, State state) { return out << to_string(state); }
std::ostream& boost_test_print_type(std::ostream& out, EventType type) { return out << to_string(type); }
std::ostream& boost_test_print_type(std::ostream& out, CancelOutcome outcome) {
  return out << static_cast<int>(outcome);
}

}  // namespace tq

namespace tq::engine {
namespace {

template <class Range, class Text>
std::string in_a_row(const Range& range, Text text) {
  std::string row;
  for (const auto& element : range) {
    if (!row.empty()) row += ' ';
    row += text(element);
  }
  return row;
}

}  // namespace

Outcome succeeded(std::string bytes, std::string codec) {
  return {.kind = Outcome::Kind::succeeded, .result = {std::move(codec), std::move(bytes)}};
}
Outcome failed(std::string error) { return {.kind = Outcome::Kind::failed, .error = std::move(error)}; }
Outcome failed_for_good(std::string error) {
  return {.kind = Outcome::Kind::failed, .error = std::move(error), .for_good = true};
}
Outcome snoozed(std::optional<Duration> delay) { return {.kind = Outcome::Kind::snoozed, .delay = delay}; }
Outcome cancelled(std::string reason) { return {.kind = Outcome::Kind::cancelled, .error = std::move(reason)}; }
Outcome interrupted() { return {.kind = Outcome::Kind::interrupted, .error = "its worker stops"}; }

std::string ids(const std::vector<JobId>& jobs) {
  return in_a_row(jobs, [](JobId id) { return std::to_string(id); });
}
std::string ids(const std::vector<Claimed>& jobs) {
  return in_a_row(jobs, [](const Claimed& job) { return std::to_string(job.id); });
}
std::string ids(const std::vector<JobInfo>& jobs) {
  return in_a_row(jobs, [](const JobInfo& job) { return std::to_string(job.id); });
}
std::string types(const std::vector<Event>& events) {
  return in_a_row(events, [](const Event& event) { return std::string(to_string(event.type)); });
}
std::string codes(const std::vector<Reason>& reasons) {
  return in_a_row(reasons, [](const Reason& reason) { return reason.code; });
}

World::World(const std::filesystem::path& path) : environment(store::Environment::open(path, {})) {}

World::~World() {
  try {
    const CheckReport report = check(read(), true);
    for (const std::string& problem : report.problems) BOOST_ERROR("check: " << problem);
  } catch (const std::exception& error) {
    BOOST_ERROR("check threw: " << error.what());
  }
}

void World::finish_change(store::WriteTransaction& txn, Ledger& ledger) {
  touched = ledger.touched();
  changed = ledger.changed();
  if (!changed) return;
  ledger.close();
  txn.commit();
}

NewJob World::make(const EnqueueOptions& options, std::string_view task, std::string payload) const {
  return prepare(*environment, model::draft(task, {"raw", std::move(payload)}, options, clock.now(), kMaxBlobBytes));
}

JobId World::add(const EnqueueOptions& options, std::string_view task, std::string payload) {
  NewJob job = make(options, task, std::move(payload));
  return change([&](Ledger& ledger) { return enqueue(ledger, std::move(job)); });
}

JobId World::add_many(std::size_t count, const EnqueueOptions& options, std::string_view task) {
  return change([&](Ledger& ledger) {
    const JobId first = ledger.totals().next_job;
    for (std::size_t i = 0; i < count; ++i) enqueue(ledger, make(options, task));
    return first;
  });
}

WorkerId World::worker(std::uint32_t max_crashes) {
  model::WorkerRecord record;
  record.pid = 77;  // 0 would be one of a copy
  record.concurrency = 4;
  record.max_crashes = max_crashes;
  record.tasks = {"work"};
  return worker(record);
}

WorkerId World::worker(const model::WorkerRecord& record) {
  return change([&](Ledger& ledger) { return register_worker(ledger, record); });
}

std::vector<Claimed> World::claim(const ClaimRequest& request) {
  return change([&](Ledger& ledger) { return engine::claim(ledger, request); });
}

std::vector<Claimed> World::claim(WorkerId worker, std::size_t limit, std::vector<std::string> queues) {
  return claim({.worker = worker, .queues = std::move(queues), .tasks = {"work"}, .limit = limit});
}

Claimed World::claim_one(WorkerId worker) {
  std::vector<Claimed> claimed = claim(worker);
  BOOST_TEST_REQUIRE(claimed.size() == 1u);
  return std::move(claimed.front());
}

Claimed World::start(WorkerId worker, const EnqueueOptions& options, std::string payload) {
  const JobId id = add(options, "work", std::move(payload));
  Claimed claimed = claim_one(worker);
  BOOST_TEST_REQUIRE(claimed.id == id);
  return claimed;
}

bool World::finish(const Claimed& claimed, Outcome outcome) {
  return change([&](Ledger& ledger) { return engine::finish(ledger, key(claimed), std::move(outcome)); });
}

std::size_t World::rescue(WorkerId worker, std::string_view cause, const std::vector<JobId>& begun) {
  const auto had_begun = [&](JobId id) { return std::find(begun.begin(), begun.end(), id) != begun.end(); };
  return change([&](Ledger& ledger) { return engine::rescue(ledger, worker, cause, had_begun); });
}

bool World::write(const Claimed& claimed, std::string_view bytes, std::uint64_t limit, std::uint64_t skipped) {
  const std::vector<Piece> pieces{{clock.now(), Stream::out, std::string(bytes)}};
  return change([&](Ledger& ledger) { return append_output(ledger, key(claimed), pieces, skipped, limit); });
}

std::size_t World::fire_due(std::size_t limit) {
  return change([&](Ledger& ledger) { return engine::fire_due(ledger, limit); });
}
Collected World::collect(std::size_t limit) {
  return change([&](Ledger& ledger) { return engine::collect(ledger, limit); });
}

CancelOutcome World::cancel(JobId id, std::string_view reason, int signal) {
  return change([&](Ledger& ledger) { return engine::cancel(ledger, id, reason, signal); });
}
void World::retry(JobId id) {
  change([&](Ledger& ledger) { engine::retry(ledger, id); });
}
void World::remove(JobId id) {
  change([&](Ledger& ledger) { engine::remove(ledger, id); });
}
void World::set(JobId id, const JobChange& edit) {
  change([&](Ledger& ledger) { engine::change(ledger, id, edit); });
}
void World::pause(std::string_view queue) {
  change([&](Ledger& ledger) { engine::pause(ledger, queue); });
}
void World::resume(std::string_view queue) {
  change([&](Ledger& ledger) { engine::resume(ledger, queue); });
}
void World::configure(std::string_view queue, const QueueSettings& settings) {
  change([&](Ledger& ledger) { engine::configure(ledger, queue, settings); });
}

JobInfo World::info(JobId id) const {
  std::optional<JobInfo> info = job_info(read(), id);
  BOOST_TEST_REQUIRE(info.has_value(), "there is no job " << id);
  return std::move(*info);
}
model::JobHeader World::header(JobId id) const {
  const std::optional<model::JobRecord> record = find_job(read(), id);
  BOOST_TEST_REQUIRE(record.has_value(), "there is no job " << id);
  return record->header;
}
bool World::exists(JobId id) const { return job_info(read(), id).has_value(); }
std::optional<Result> World::result(JobId id) const { return engine::result(read(), id); }
std::string World::payload(JobId id) const {
  std::optional<Payload> payload = engine::payload(read(), id);
  BOOST_TEST_REQUIRE(payload.has_value(), "there is no job " << id);
  return std::move(payload->bytes);
}
std::vector<JobInfo> World::list(const JobFilter& filter) const { return engine::list(read(), filter); }
std::vector<Event> World::events(const EventFilter& filter) const { return engine::events(read(), filter); }
std::string World::history(JobId id) const { return types(events({.job = id})); }
QueueInfo World::queue(std::string_view name) const {
  std::optional<QueueInfo> info = engine::queue(read(), name);
  BOOST_TEST_REQUIRE(info.has_value(), "there is no queue " << name);
  return std::move(*info);
}
Stats World::stats() const { return engine::stats(read()); }
std::vector<LogChunk> World::output(JobId id, std::uint64_t after, std::size_t max_bytes) const {
  return engine::output(read(), header(id), id, after, max_bytes);
}
std::string World::why(JobId id, const std::vector<WorkerId>& dead) const {
  const auto alive = [&](WorkerId worker) { return std::find(dead.begin(), dead.end(), worker) == dead.end(); };
  return codes(engine::why(read(), id, clock.now(), alive));
}

}  // namespace tq::engine
