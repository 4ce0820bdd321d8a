// The engine against the plain model: random verbs, several workers that die or leave, a clock that jumps either way. After
// each step the new events and all counters are compared, now and then every job, every list and check() itself.
//
// TQ_TEST_SEED chooses the seed, TQ_SIMULATION_STEPS the length.
#include "engine/steer.hpp"
#include "plain_model.hpp"
#include "support/random.hpp"
#include "world.hpp"

#include <boost/test/results_collector.hpp>

#include <algorithm>
#include <cstdlib>
#include <tuple>

namespace tq::engine {
namespace {

std::size_t step_count() {
  const char* const text = std::getenv("TQ_SIMULATION_STEPS");
  return text == nullptr ? 4000 : std::strtoull(text, nullptr, 10);
}

const std::vector<std::string> kQueues = {"red", "green", "blue"};
const std::vector<std::string> kTasks = {"work", "play", "rest"};
const std::vector<std::string> kLabels = {"a", "b"};
const std::vector<State> kStates = {State::scheduled, State::ready,  State::running,   State::retrying,
                                    State::succeeded, State::failed, State::cancelled, State::expired};

class Simulation : public World {
 public:
  void run(std::uint64_t seed, std::size_t steps);

 private:
  void step();
  void advance_clock();

  // Each does one verb to both and compares the answers.
  void add();
  void claim();
  void begin();
  void finish();
  void report();
  void save();
  void cancel();
  void retry();
  void remove();
  void change();
  void steer_queue();
  void purge();
  void purge_dead();
  void fire_due();
  void collect();
  void workers_come();
  void workers_go();

  // True if `verb` was not refused.
  template <class Verb>
  bool succeeds(Verb verb);

  EnqueueOptions options();
  Duration some_time() { return Duration(random_->between(0, 20'000)); }
  std::vector<std::string> some_of(const std::vector<std::string>& names);
  JobId some_job() { return random_->below(plain_.stats.enqueued + 2); }
  // Mostly a claim that still holds.
  RunKey some_claim();
  WorkerId some_worker();
  PlainModel::End some_end();

  void compare_events();
  void compare_counters();
  void compare_jobs();
  void compare_job(const PlainModel::Job& expected);
  void compare_list();

  PlainModel plain_;
  test::Random* random_ = nullptr;
  std::vector<RunKey> claims_;
  EventSeq compared_ = 0;
};

// --- chance ---

EnqueueOptions Simulation::options() {
  EnqueueOptions options;
  options.queue = random_->pick(kQueues);
  options.priority = static_cast<std::int32_t>(random_->between(-1, 1));
  if (random_->chance(30)) options.delay = some_time();
  if (random_->chance(60)) options.max_retries = static_cast<std::uint32_t>(random_->below(3));
  options.backoff = {.base = some_time(), .cap = 30s, .jitter = 0.5};
  if (random_->chance(20)) options.expires_in = 1ms + some_time();
  if (random_->chance(20)) options.result_ttl = some_time();
  options.labels = some_of(kLabels);
  return options;
}

std::vector<std::string> Simulation::some_of(const std::vector<std::string>& names) {
  std::vector<std::string> some;
  while (random_->chance(60)) some.push_back(random_->pick(names));  // also one of them twice
  return some;
}

RunKey Simulation::some_claim() {
  while (!claims_.empty() && random_->chance(90)) {
    const std::size_t place = random_->below(claims_.size());
    if (plain_.held(claims_[place]) != nullptr) return claims_[place];
    if (random_->chance(90)) claims_.erase(claims_.begin() + static_cast<std::ptrdiff_t>(place));
  }
  return claims_.empty() ? RunKey{some_job(), 1, 1} : random_->pick(claims_);
}

WorkerId Simulation::some_worker() {
  if (plain_.workers.empty()) return 0;
  return std::next(plain_.workers.begin(), static_cast<std::ptrdiff_t>(random_->below(plain_.workers.size())))->first;
}

PlainModel::End Simulation::some_end() {
  PlainModel::End end;
  end.kind = random_->pick(std::vector{Outcome::Kind::succeeded, Outcome::Kind::failed, Outcome::Kind::failed,
                                       Outcome::Kind::snoozed, Outcome::Kind::cancelled, Outcome::Kind::interrupted});
  end.text = random_->text(20);
  end.for_good = random_->chance(20);
  if (random_->chance(30)) end.delay = some_time();
  while (random_->chance(20)) end.follow_ups.push_back({random_->pick(kTasks), options()});
  return end;
}

void Simulation::advance_clock() {
  const Duration ten_years = 24h * 3652;
  if (random_->chance(1)) {
    // Back again at once, too: what is years away would otherwise be all that there is.
    clock.advance(random_->chance(50) ? ten_years : -ten_years);
    if (random_->chance(60)) clock.set(kStart + some_time());
  } else {
    clock.advance(some_time() / 20);
  }
  plain_.now = clock.now();
}

// --- verbs ---

template <class Verb>
bool Simulation::succeeds(Verb verb) {
  try {
    verb();
    return true;
  } catch (const NotFound&) {
  } catch (const Conflict&) {
  } catch (const QueueFull&) {
  }
  return false;
}

void Simulation::add() {
  const EnqueueOptions options = this->options();
  const std::string& task = random_->pick(kTasks);
  const std::string payload = random_->bytes(random_->chance(5) ? 5000 : 50);
  JobId id = 0;
  const bool added = succeeds([&] { id = World::add(options, task, payload); });
  BOOST_TEST(plain_.add(task, payload, options).value_or(0) == id);
  BOOST_TEST(added == (id != 0));
}

void Simulation::claim() {
  const WorkerId worker = random_->chance(95) ? some_worker() : random_->below(100);
  const PlainModel::Claim request{
      worker, some_of(kQueues), some_of(kTasks), random_->chance(60), random_->below(6), random_->below(3)};
  const std::vector<Claimed> claimed = World::claim({.worker = worker,
                                                     .queues = request.queues,
                                                     .tasks = request.tasks,
                                                     .tasks_are_excluded = request.tasks_are_excluded,
                                                     .limit = request.limit,
                                                     .ahead = request.ahead});
  BOOST_TEST(ids(claimed) == ids(plain_.claim(request)));
  for (const Claimed& job : claimed) claims_.push_back(key(job));
}

void Simulation::begin() {
  const RunKey key = some_claim();
  const bool begun = World::change([&](Ledger& ledger) { return engine::begin(ledger, key, clock.now()); });
  BOOST_TEST(plain_.begin(key) == begun);
}

void Simulation::finish() {
  const RunKey key = some_claim();
  const PlainModel::End end = some_end();
  Outcome outcome{.kind = end.kind, .for_good = end.for_good, .delay = end.delay};
  if (end.kind == Outcome::Kind::succeeded) {
    outcome.result.bytes = end.text;
  } else {
    outcome.error = end.text;
  }
  for (const PlainModel::Follow& follow : end.follow_ups)
    outcome.follow_ups.push_back(make(follow.options, follow.task));
  const bool ended = World::change([&](Ledger& ledger) { return engine::finish(ledger, key, std::move(outcome)); });
  BOOST_TEST(plain_.finish(key, end) == ended);
}

void Simulation::report() {
  const RunKey key = some_claim();
  const std::string text = random_->text(10);
  const bool told = World::change([&](Ledger& ledger) { return report_progress(ledger, key, 0.5, text); });
  BOOST_TEST(plain_.progress(key, text) == told);
}

void Simulation::save() {
  const RunKey key = some_claim();
  const std::string bytes = random_->bytes(3000);
  PlainModel::Job* const job = plain_.held(key);
  const bool saved = World::change([&](Ledger& ledger) {
    return save_state(ledger, key, {*environment, std::string(bytes)});
  });
  BOOST_TEST(saved == (job != nullptr));
  const std::vector<Piece> pieces{{clock.now(), Stream::out, bytes}};
  const bool written = World::change([&](Ledger& ledger) { return append_output(ledger, key, pieces, 3, 4000); });
  BOOST_TEST(written == (job != nullptr));
  if (job == nullptr) return;
  job->saved = bytes;
  job->output_bytes += bytes.size() + 3;
}

void Simulation::cancel() {
  const JobId id = some_job();
  const std::string reason = random_->text(10);
  BOOST_TEST(World::cancel(id, reason) == plain_.cancel(id, reason));
}

void Simulation::retry() {
  const JobId id = some_job();
  BOOST_TEST(succeeds([&] { World::retry(id); }) == plain_.retry(id));
}

void Simulation::remove() {
  const JobId id = some_job();
  BOOST_TEST(succeeds([&] { World::remove(id); }) == plain_.remove(id));
}

void Simulation::change() {
  const JobId id = some_job();
  JobChange change;
  if (random_->chance(30)) change.queue = random_->pick(kQueues);
  if (random_->chance(30)) change.priority = static_cast<std::int32_t>(random_->between(-1, 1));
  if (random_->chance(30)) change.at = clock.now() + some_time() - 5s;
  if (random_->chance(30)) change.labels = some_of(kLabels);
  BOOST_TEST(succeeds([&] { set(id, change); }) == plain_.change(id, change));
}

void Simulation::steer_queue() {
  const std::string& name = random_->pick(kQueues);
  if (random_->chance(30)) {
    const std::uint64_t max_size = random_->chance(50) ? 0 : random_->below(30);
    configure(name, {.max_size = max_size});
    plain_.configure(name, max_size);
  } else if (random_->chance(30)) {
    pause(name);
    plain_.pause(name);
  } else {
    BOOST_TEST(succeeds([&] { resume(name); }) == plain_.resume(name));
  }
}

void Simulation::purge() {
  const std::string& name = random_->pick(kQueues);
  if (!plain_.queues.contains(name)) return;
  std::optional<State> state;
  if (random_->chance(70)) state = random_->pick(kStates);
  if (state == State::running) state = State::blocked;
  std::uint64_t removed = 0;
  Purged purged;
  do {
    purged = World::change([&](Ledger& ledger) { return engine::purge(ledger, name, state, purged.next, 3); });
    removed += purged.jobs;
  } while (purged.next != 0);
  BOOST_TEST(plain_.purge(name, state) == removed);
}

void Simulation::purge_dead() {
  const Time older_than = clock.now() - some_time();
  const std::uint64_t removed =
      World::change([&](Ledger& ledger) { return engine::purge_dead(ledger, older_than, 3); });
  BOOST_TEST(plain_.purge_dead(older_than, 3) == removed);
}

void Simulation::fire_due() {
  const std::size_t limit = 1 + random_->below(20);
  World::fire_due(limit);
  plain_.fire_due(limit);
}

void Simulation::collect() {
  const std::size_t limit = 1 + random_->below(20);
  BOOST_TEST(World::collect(limit).jobs == plain_.collect(limit));
  const std::vector<Event> kept = World::events({.limit = 1});
  BOOST_TEST(plain_.forget_events(kept.empty() ? UINT64_MAX : kept[0].seq, limit));
}

void Simulation::workers_come() {
  if (plain_.workers.size() >= 4) return;
  const auto max_crashes = static_cast<std::uint32_t>(random_->between(1, 3));
  BOOST_TEST(worker(max_crashes) == plain_.register_worker(max_crashes));
}

void Simulation::workers_go() {
  const WorkerId worker = some_worker();
  if (worker == 0) return;
  if (random_->chance(40)) {
    World::change([&](Ledger& ledger) { unregister_worker(ledger, worker); });
    return plain_.unregister_worker(worker);
  }
  std::set<JobId> begun;
  for (const JobId id : jobs_of(read(), worker)) {
    if (random_->chance(50)) begun.insert(id);
  }
  rescue(worker, "killed", {begun.begin(), begun.end()});
  plain_.rescue(worker, "killed", begun);
}

// --- comparing ---

void Simulation::compare_events() {
  const std::vector<Event> events = World::events({.after = compared_, .limit = SIZE_MAX});
  auto expected = std::find_if(plain_.log.begin(), plain_.log.end(), [&](const Event& e) { return e.seq > compared_; });
  BOOST_TEST_REQUIRE(events.size() == static_cast<std::size_t>(plain_.log.end() - expected));
  for (const Event& event : events) {
    const Event& right = *expected++;
    const auto as_tuple = [](const Event& e) { return std::tie(e.seq, e.time, e.job, e.attempt, e.worker, e.queue); };
    BOOST_TEST(event.type == right.type);
    BOOST_TEST((as_tuple(event) == as_tuple(right)), "event " << event.seq << " (" << to_string(event.type) << ")");
    if (right.text != PlainModel::kAnyText) BOOST_TEST(event.text == right.text);
  }
  compared_ = plain_.stats.last_event;
}

void Simulation::compare_counters() {
  std::map<std::pair<std::string, State>, std::uint64_t> counted;
  for (const auto& [id, job] : plain_.jobs) ++counted[{job.queue, job.state}];
  const std::vector<QueueInfo> queues = engine::queues(read());
  BOOST_TEST(queues.size() == plain_.queues.size());
  for (const QueueInfo& queue : queues) {
    for (const State state : kStates) BOOST_TEST((queue[state] == counted[{queue.name, state}]));
    BOOST_TEST(queue.paused == plain_.queues.at(queue.name).paused);
    BOOST_TEST(queue.settings.max_size == plain_.queues.at(queue.name).max_size);
  }
  const Stats stats = World::stats();
  const auto as_tuple = [](const Stats& s) {
    return std::tie(s.enqueued, s.attempts, s.succeeded, s.failed, s.cancelled, s.expired, s.crashes, s.last_event);
  };
  BOOST_TEST((as_tuple(stats) == as_tuple(plain_.stats)));
  BOOST_TEST(known_workers(read()).size() == plain_.workers.size());
}

void Simulation::compare_job(const PlainModel::Job& expected) {
  const JobInfo job = info(expected.id);
  const model::JobHeader header = this->header(expected.id);
  BOOST_TEST_CONTEXT("job " << expected.id) {
    BOOST_TEST(job.state == expected.state);
    BOOST_TEST(job.queue == expected.queue);
    BOOST_TEST(job.task == expected.task);
    BOOST_TEST((job.labels == expected.labels));
    BOOST_TEST(job.priority == expected.priority);
    BOOST_TEST(header.run == expected.run);
    BOOST_TEST(job.attempt == expected.attempt);
    BOOST_TEST(job.crashes == expected.crashes);
    BOOST_TEST((job.enqueued == expected.enqueued));
    BOOST_TEST((job.due == expected.due));
    BOOST_TEST((job.expires == expected.expires));
    BOOST_TEST((job.started == expected.started));
    BOOST_TEST((job.finished == expected.finished));
    BOOST_TEST((Time(Duration(header.keep_until_ms)) == expected.keep_until));
    BOOST_TEST(job.worker == expected.worker);
    BOOST_TEST(header.has(model::kAhead) == expected.ahead);
    BOOST_TEST(job.cancel_requested == expected.cancel_requested);
    if (expected.error != PlainModel::kAnyText) BOOST_TEST(job.error == expected.error);
    BOOST_TEST((payload(job.id) == expected.payload));
    if (is_final(job.state)) BOOST_TEST(result(job.id)->value.bytes == expected.result);
    BOOST_TEST((saved_state(read(), job.id).value_or("") == expected.saved));
    BOOST_TEST(job.log_bytes + job.log_dropped_bytes == expected.output_bytes);
    BOOST_TEST(job.log_bytes <= 4000u);
  }
}

void Simulation::compare_jobs() {
  BOOST_TEST(list({.limit = SIZE_MAX}).size() == plain_.jobs.size());
  for (const auto& [id, job] : plain_.jobs) compare_job(job);
  const JobId id = some_job() + 1;
  std::vector<Event> history;
  for (const Event& event : plain_.log) {
    if (event.job == id) history.push_back(event);
  }
  BOOST_TEST(this->history(id) == types(history));
  const CheckReport report = check(read(), true);
  for (const std::string& problem : report.problems) BOOST_ERROR("check: " << problem);
}

void Simulation::compare_list() {
  JobFilter filter;
  while (random_->chance(50)) filter.states.push_back(random_->pick(kStates));
  if (random_->chance(40)) filter.queue = random_->pick(kQueues);
  if (random_->chance(40)) filter.task = random_->pick(kTasks);
  if (random_->chance(40)) filter.label = random_->pick(kLabels);
  if (random_->chance(40)) filter.before = some_job();
  filter.limit = random_->chance(50) ? 1000 : random_->below(10);
  if (!filter.queue.empty() && !plain_.queues.contains(filter.queue)) return;
  BOOST_TEST(ids(list(filter)) == ids(plain_.list(filter)));
}

void Simulation::step() {
  static constexpr std::pair<unsigned, void (Simulation::*)()> kVerbs[] = {
      {20, &Simulation::add},         {20, &Simulation::claim},      {6, &Simulation::begin},
      {25, &Simulation::finish},      {2, &Simulation::report},      {2, &Simulation::save},
      {4, &Simulation::cancel},       {4, &Simulation::retry},       {2, &Simulation::remove},
      {4, &Simulation::change},       {2, &Simulation::steer_queue}, {1, &Simulation::purge},
      {1, &Simulation::purge_dead},   {6, &Simulation::fire_due},    {1, &Simulation::collect},
      {3, &Simulation::workers_come}, {1, &Simulation::workers_go},
  };
  unsigned all = 0;
  for (const auto& [share, verb] : kVerbs) all += share;
  std::uint64_t choice = random_->below(all);
  for (const auto& [share, verb] : kVerbs) {
    if (choice < share) return (this->*verb)();
    choice -= share;
  }
}

void Simulation::run(std::uint64_t seed, std::size_t steps) {
  test::Random random(seed);
  random_ = &random;
  retention = {.succeeded = 60s, .failed = 120s, .events = 100s};
  plain_.keep_succeeded = retention.succeeded;
  plain_.keep_failed = retention.failed;
  plain_.keep_events = retention.events;
  const auto failures = [] {
    const auto id = boost::unit_test::framework::current_test_case().p_id;
    return boost::unit_test::results_collector.results(id).p_assertions_failed.get();
  };
  for (std::size_t i = 0; i < steps; ++i) {
    advance_clock();
    step();
    compare_events();
    compare_counters();
    if (i % 10 == 0) compare_list();
    if (i % 50 == 0) compare_jobs();
    BOOST_TEST_REQUIRE(failures() == 0u, "step " << i << " of seed " << seed);
  }
  compare_jobs();
  BOOST_TEST_MESSAGE("seed " << seed << ": " << plain_.stats.enqueued << " jobs, " << plain_.stats.attempts
                             << " attempts, " << plain_.stats.last_event << " events");
}

BOOST_AUTO_TEST_SUITE(simulation)

BOOST_AUTO_TEST_CASE(the_engine_does_what_the_plain_model_does) {
  for (std::uint64_t i = 0; i < 4; ++i) Simulation().run(test::test_seed() + i, step_count() / 4);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
