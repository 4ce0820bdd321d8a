// What a step that changes the store means: to the engine, and to the plain model.
#include "simulation_run.hpp"

#include "engine/claim.hpp"
#include "engine/due.hpp"
#include "engine/steer.hpp"
#include "engine/workers.hpp"
#include "store/blob.hpp"

#include <fmt/format.h>

#include <memory>

namespace tq::engine {
namespace {

std::string text(bool answer) { return answer ? "yes" : "no"; }
std::string text(const std::vector<JobId>& jobs) { return fmt::format("{}", fmt::join(jobs, " ")); }
std::string number_or_refused(const std::optional<JobId>& id) { return id ? std::to_string(*id) : kRefused; }
std::string done_or_refused(bool done) { return done ? "done" : kRefused; }

// A deed may be copied, what it adds may not.
template <class T>
std::shared_ptr<T> shared(T value) {
  return std::make_shared<T>(std::move(value));
}

}  // namespace

Deed Simulation::deed(const Step& step) {
  static const std::map<Verb, Deed (Simulation::*)(Numbers)> deeds = {
      {Verb::add, &Simulation::add},           {Verb::add_many, &Simulation::add_many},
      {Verb::come, &Simulation::come},         {Verb::claim, &Simulation::claim},
      {Verb::begin, &Simulation::begin},       {Verb::finish, &Simulation::finish},
      {Verb::report, &Simulation::report},     {Verb::save, &Simulation::save},
      {Verb::write, &Simulation::write},       {Verb::crash, &Simulation::crash},
      {Verb::tell, &Simulation::tell},         {Verb::leave, &Simulation::leave},
      {Verb::die, &Simulation::die},           {Verb::cancel, &Simulation::cancel},
      {Verb::retry, &Simulation::retry},       {Verb::remove, &Simulation::remove},
      {Verb::change, &Simulation::change},     {Verb::pause, &Simulation::pause},
      {Verb::resume, &Simulation::resume},     {Verb::configure, &Simulation::configure},
      {Verb::purge, &Simulation::purge},       {Verb::purge_dead, &Simulation::purge_dead},
      {Verb::fire_due, &Simulation::fire_due}, {Verb::collect, &Simulation::collect},
  };
  return (this->*deeds.at(step.verb))(Numbers(step));
}

// --- producers ---

Deed Simulation::add(const PlainModel::New& job) {
  const auto prepared = shared(prepare(store_.environment(), draft(job)));
  return {1, [prepared](Ledger& ledger) { return std::to_string(enqueue(ledger, std::move(*prepared))); },
          [this, job] { return number_or_refused(plain_.add(job)); }};
}

Deed Simulation::add(Numbers numbers) { return add(some_new(numbers)); }

Deed Simulation::add_many(Numbers numbers) {
  const std::size_t count = 1 + numbers.below(4);
  std::vector<PlainModel::New> jobs(count, some_new(numbers));
  const auto prepared = std::make_shared<std::vector<NewJob>>();
  for (std::size_t i = 0; i < count; ++i) {
    jobs[i].options.priority = static_cast<std::int32_t>(i % 2);
    prepared->push_back(prepare(store_.environment(), draft(jobs[i])));
  }
  return {count,
          [prepared](Ledger& ledger) {
            std::vector<JobId> ids;
            for (NewJob& job : *prepared) ids.push_back(enqueue(ledger, std::move(job)));
            return text(ids);
          },
          [this, jobs] {
            const std::vector<JobId> ids = plain_.add_many(jobs);
            return ids.empty() ? kRefused : text(ids);
          }};
}

// --- workers ---

Deed Simulation::come(Numbers numbers) {
  constexpr std::size_t kMostWorkers = 4;
  PlainModel::Worker worker{.max_crashes = 1 + numbers.below(3), .concurrency = 1 + numbers.below(4)};
  worker.queues = numbers.some_of(kQueues);
  worker.tasks = numbers.some_of(kTasks);
  if (plain_.workers.size() >= kMostWorkers) return tell(numbers);
  model::WorkerRecord record;
  record.pid = 77;  // one of pid 0 would be that of a copy
  record.max_crashes = worker.max_crashes;
  record.concurrency = worker.concurrency;
  record.queues = worker.queues;
  record.tasks = worker.tasks;
  return {0, [record](Ledger& ledger) { return std::to_string(register_worker(ledger, record)); },
          [this, worker] { return std::to_string(plain_.register_worker(worker)); }};
}

Deed Simulation::claim(Numbers numbers) {
  PlainModel::Claim request{.worker = some_worker(numbers)};
  request.queues = numbers.some_of(kQueues);
  request.tasks_are_excluded = !numbers.chance(50);
  request.tasks = numbers.some_of(kTasks);
  request.limit = (1 + numbers.below(6)) % 6;
  request.ahead = numbers.below(4);
  const ClaimRequest asked{request.worker, request.queues, request.tasks, request.tasks_are_excluded,
                           request.limit,  request.ahead};
  return {0,
          [asked](Ledger& ledger) {
            std::vector<JobId> ids;
            for (const Claimed& job : engine::claim(ledger, asked)) ids.push_back(job.id);
            return text(ids);
          },
          [this, request] {
            const std::vector<JobId> ids = plain_.claim(request);
            for (const JobId id : ids) claims_.push_back({id, plain_.jobs.at(id).run, request.worker});
            if (claims_.size() > 100) claims_.erase(claims_.begin(), claims_.begin() + 50);
            touched_.insert(ids.begin(), ids.end());
            return text(ids);
          }};
}

Deed Simulation::begin(Numbers numbers) {
  const RunKey key = some_claim(numbers);
  const Time when = plain_.now - Duration(numbers.below(1000));
  return {0, [=](Ledger& ledger) { return text(engine::begin(ledger, key, when)); },
          [=, this] { return text(plain_.begin(key, when)); }};
}

Deed Simulation::finish(Numbers numbers) {
  const RunKey key = some_claim(numbers);
  const PlainModel::End end = some_end(numbers);
  Outcome outcome{.kind = end.kind, .for_good = end.for_good, .delay = end.delay, .exit_code = end.exit_code};
  outcome.began = end.began;
  if (end.kind != Outcome::Kind::succeeded) {
    outcome.error = end.text;
  } else if (end.text.size() > model::kInlineBytes) {
    outcome.result_blob.emplace(store_.environment(), std::string(end.text));
  } else {
    outcome.result.bytes = end.text;
  }
  for (const PlainModel::New& job : end.follow_ups) {
    outcome.follow_ups.push_back(prepare(store_.environment(), draft(job)));
  }
  touched_.insert(key.job);
  return {end.follow_ups.size(),
          [key, outcome = shared(std::move(outcome))](Ledger& ledger) {
            return text(engine::finish(ledger, key, std::move(*outcome)));
          },
          [=, this] { return text(plain_.finish(key, end)); }};
}

Deed Simulation::report(Numbers numbers) {
  const RunKey key = some_claim(numbers);
  const std::string words = numbers.text();
  const double fraction = numbers.below(5) / 4.0;
  return {0, [=](Ledger& ledger) { return text(report_progress(ledger, key, fraction, words)); },
          [=, this] { return text(plain_.progress(key, fraction, words)); }};
}

Deed Simulation::save(Numbers numbers) {
  const RunKey key = some_claim(numbers);
  const std::string bytes = numbers.bytes();
  const auto blob = shared(store::PreparedBlob(store_.environment(), std::string(bytes)));
  touched_.insert(key.job);
  return {0, [=](Ledger& ledger) { return text(save_state(ledger, key, std::move(*blob))); },
          [=, this] {
            PlainModel::Job* const job = plain_.held(key);
            if (job != nullptr) job->saved = bytes;
            return text(job != nullptr);
          }};
}

Deed Simulation::write(Numbers numbers) {
  const RunKey key = some_claim(numbers);
  std::vector<Piece> pieces(1 + numbers.below(3));
  for (Piece& piece : pieces) {
    piece = {plain_.now, numbers.pick(std::vector{Stream::out, Stream::err}), numbers.bytes().substr(0, 20'000)};
    // Also what fills the head or the tail to the last byte.
    if (numbers.chance(20)) piece.bytes = std::string(kOutputBytes / 6 * (1 + numbers.below(6)), '.');
  }
  const std::uint64_t skipped = numbers.maybe(5).value_or(0);
  touched_.insert(key.job);
  return {0, [=](Ledger& ledger) { return text(append_output(ledger, key, pieces, skipped, kOutputBytes)); },
          [=, this] {
            PlainModel::Job* const job = plain_.held(key);
            if (job != nullptr) job->output.append(pieces, skipped, kOutputBytes, job->attempt);
            return text(job != nullptr);
          }};
}

Deed Simulation::crash(Numbers numbers) {
  const RunKey key = some_claim(numbers);
  const std::uint32_t max_crashes = 1 + numbers.below(3);
  return {0,
          [=](Ledger& ledger) {
            auto job = load_running(ledger, key);
            if (job) engine::crash(ledger, *job, max_crashes, "signal");
            return text(job.has_value());
          },
          [=, this] { return text(plain_.crash(key, max_crashes, "signal")); }};
}

// It stops, or goes on.
Deed Simulation::tell(Numbers numbers) {
  const WorkerId id = some_worker(numbers);
  const bool stopping = numbers.chance(30);
  return {0,
          [=](Ledger& ledger) {
            auto record = worker_record(ledger.txn(), id);
            if (record) record->stopping = stopping;
            return text(update_worker(ledger, id, record.value_or(model::WorkerRecord{})));
          },
          [=, this] {
            const auto known = plain_.workers.find(id);
            if (known != plain_.workers.end()) known->second.stopping = stopping;
            return text(known != plain_.workers.end());
          }};
}

Deed Simulation::leave(Numbers numbers) {
  const WorkerId id = some_worker(numbers);
  return {0,
          [=](Ledger& ledger) {
            unregister_worker(ledger, id);
            return "";
          },
          [=, this] {
            for (const JobId job : plain_.of_worker(id)) touched_.insert(job);
            if (plain_.workers.contains(id)) plain_.unregister_worker(id);
            return "";
          }};
}

Deed Simulation::die(Numbers numbers) {
  const WorkerId id = some_worker(numbers);
  const std::uint32_t which = numbers.next();
  const auto had_begun = [which](JobId job) { return (which >> (job % 16) & 1) != 0; };
  return {0,
          [=](Ledger& ledger) {
            engine::rescue(ledger, id, "killed", had_begun);
            return "";
          },
          [=, this] {
            std::set<JobId> begun;
            for (const JobId job : plain_.of_worker(id)) {
              touched_.insert(job);
              if (had_begun(job)) begun.insert(job);
            }
            if (plain_.workers.contains(id)) plain_.rescue(id, "killed", begun);
            return "";
          }};
}

// --- people ---

Deed Simulation::cancel(JobId id, const std::string& reason, int signal) {
  return {0,
          [=](Ledger& ledger) { return std::to_string(static_cast<int>(engine::cancel(ledger, id, reason, signal))); },
          [=, this] { return std::to_string(static_cast<int>(plain_.cancel(id, reason, signal))); }};
}

Deed Simulation::cancel(Numbers numbers) {
  const JobId id = some_job(numbers);
  const std::string reason = numbers.text();
  return cancel(id, reason, numbers.pick(std::vector{15, 2}));
}

Deed Simulation::retry(Numbers numbers) {
  const JobId id = some_job(numbers);
  return {0,
          [=](Ledger& ledger) {
            engine::retry(ledger, id);
            return "done";
          },
          [=, this] { return done_or_refused(plain_.retry(id)); }};
}

Deed Simulation::remove(JobId id) {
  return {0,
          [=](Ledger& ledger) {
            engine::remove(ledger, id);
            return "done";
          },
          [=, this] { return done_or_refused(plain_.remove(id)); }};
}

Deed Simulation::remove(Numbers numbers) { return remove(some_job(numbers)); }

Deed Simulation::change(Numbers numbers) {
  const JobId id = some_job(numbers);
  JobChange change;
  if (numbers.chance(30)) change.queue = numbers.pick(kQueues);
  if (const auto priority = numbers.maybe(30)) change.priority = static_cast<std::int32_t>(*priority % 3) - 1;
  if (const auto at = numbers.maybe(30)) change.at = plain_.now + Duration(*at % 20'000) - Duration(5000);
  if (numbers.chance(30)) change.labels = numbers.some_of(kLabels);
  return {0,
          [=](Ledger& ledger) {
            engine::change(ledger, id, change);
            return "done";
          },
          [=, this] { return done_or_refused(plain_.change(id, change)); }};
}

Deed Simulation::pause(Numbers numbers) {
  const std::string name = numbers.pick(kQueues);
  return {0,
          [=](Ledger& ledger) {
            engine::pause(ledger, name);
            return "";
          },
          [=, this] {
            plain_.pause(name);
            return "";
          }};
}

Deed Simulation::resume(Numbers numbers) {
  const std::string name = numbers.pick(kQueues);
  return {0,
          [=](Ledger& ledger) {
            engine::resume(ledger, name);
            return "done";
          },
          [=, this] { return done_or_refused(plain_.resume(name)); }};
}

Deed Simulation::configure(Numbers numbers) {
  const std::string name = numbers.pick(kQueues);
  const std::uint64_t max_size = numbers.maybe(50).value_or(0) % 30;
  return {0,
          [=](Ledger& ledger) {
            engine::configure(ledger, name, {.max_size = max_size});
            return "";
          },
          [=, this] {
            plain_.configure(name, max_size);
            return "";
          }};
}

Deed Simulation::purge(Numbers numbers) {
  const std::string name = numbers.pick(kQueues);
  std::optional<State> state;
  if (const auto number = numbers.maybe(70)) state = kStates[*number % kStates.size()];
  return {0,
          [=](Ledger& ledger) {
            std::uint64_t removed = 0;
            Purged purged;
            do {
              purged = engine::purge(ledger, name, state, purged.next, 3);
              removed += purged.jobs;
            } while (purged.next != 0);
            return std::to_string(removed);
          },
          [=, this]() -> std::string {
            if (!plain_.queues.contains(name) || state == State::running) return kRefused;
            return std::to_string(plain_.purge(name, state));
          }};
}

Deed Simulation::purge_dead(Numbers numbers) {
  std::optional<Time> older_than;
  if (const auto ago = numbers.maybe(70)) older_than = plain_.now - Duration(*ago % 20'000);
  const std::size_t limit = 3 + numbers.below(4);
  return {0, [=](Ledger& ledger) { return std::to_string(engine::purge_dead(ledger, older_than, limit)); },
          [=, this] { return std::to_string(plain_.purge_dead(older_than, limit)); }};
}

// --- time ---

Deed Simulation::fire_due(Numbers numbers) {
  const std::size_t limit = 1000 - numbers.below(2) * (999 - numbers.below(20));
  return {0,
          [=](Ledger& ledger) {
            engine::fire_due(ledger, limit);
            return "";
          },
          [=, this] {
            plain_.fire_due(limit);
            return "";
          }};
}

Deed Simulation::collect(Numbers numbers) {
  const std::size_t limit = 200 - numbers.below(2) * (199 - numbers.below(20));
  const auto first_kept = shared(EventSeq{0});
  return {0,
          [=](Ledger& ledger) {
            const std::size_t jobs = engine::collect(ledger, limit).jobs;
            const std::vector<Event> kept = engine::events(ledger.txn(), {.limit = 1});
            *first_kept = kept.empty() ? UINT64_MAX : kept[0].seq;
            return fmt::format("{} jobs, events yes", jobs);
          },
          [=, this] {
            const std::size_t jobs = plain_.collect(limit);
            return fmt::format("{} jobs, events {}", jobs, text(plain_.forget_events(*first_kept, limit)));
          }};
}

}  // namespace tq::engine
