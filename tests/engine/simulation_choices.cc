// Numbers made into what there is: a job, a claim, options.
#include "simulation_run.hpp"

#include <iterator>

namespace tq::engine {

const std::vector<std::string> kQueues = {"red", "green", "blue"};
const std::vector<std::string> kTasks = {"work", "play", "rest"};
const std::vector<std::string> kLabels = {"a", "b"};
const std::vector<State> kStates = {State::ready,     State::running, State::scheduled, State::retrying,
                                    State::succeeded, State::failed,  State::cancelled, State::expired};

namespace {

constexpr std::uint32_t kMostMs = 20'000;

Duration span(std::uint32_t number) { return Duration(number % kMostMs); }

void set_times(EnqueueOptions& options, Numbers& numbers, Time now) {
  if (const auto delay = numbers.maybe(30)) options.delay = span(*delay);
  const auto at = numbers.maybe(10);
  if (at && !options.delay) options.at = now + span(*at) - span(kMostMs / 4);
  if (const auto expires = numbers.maybe(20)) options.expires_in = Duration(1) + span(*expires);
  const auto expires_at = numbers.maybe(10);
  if (expires_at && !options.expires_in) options.expires_at = now + Duration(1) + span(*expires_at);
  if (const auto ttl = numbers.maybe(20)) options.result_ttl = span(*ttl);
  if (const auto timeout = numbers.maybe(10)) options.timeout = span(*timeout);
}

}  // namespace

PlainModel::New Simulation::some_new(Numbers& numbers) {
  PlainModel::New job;
  job.options.queue = numbers.pick(kQueues);
  job.task = numbers.pick(kTasks);
  job.payload = numbers.bytes();
  EnqueueOptions& options = job.options;
  options.priority = numbers.pick(std::vector{0, 1, -1});
  if (const auto retries = numbers.maybe(60)) options.max_retries = *retries % 3;
  options.backoff = {.base = span(numbers.next()), .cap = std::chrono::seconds{30}, .jitter = 0.5};
  if (numbers.chance(30)) options.backoff.kind = Backoff::Kind::constant;
  set_times(options, numbers, plain_.now);
  options.labels = numbers.some_of(kLabels);
  return job;
}

PlainModel::End Simulation::some_end(Numbers& numbers) {
  using Kind = Outcome::Kind;
  PlainModel::End end;
  end.kind = numbers.pick(std::vector{Kind::succeeded, Kind::failed, Kind::failed, Kind::snoozed, Kind::cancelled,
                                      Kind::interrupted, Kind::succeeded});
  end.text = end.kind == Kind::succeeded ? numbers.bytes() : numbers.text();
  end.for_good = numbers.chance(15);
  if (const auto delay = numbers.maybe(40)) end.delay = span(*delay);
  if (const auto code = numbers.maybe(40)) end.exit_code = static_cast<int>(*code % 3);
  if (const auto ago = numbers.maybe(30)) end.began = plain_.now - Duration(*ago % 1000);
  const std::size_t follow_ups = numbers.chance(25) ? 1 + numbers.below(2) : 0;
  if (end.kind != Kind::succeeded) return end;
  for (std::size_t i = 0; i < follow_ups; ++i) end.follow_ups.push_back(some_new(numbers));
  return end;
}

model::Draft Simulation::draft(const PlainModel::New& job) {
  return model::draft(job.task, {"raw", job.payload}, job.options, plain_.now, kMaxBlobBytes);
}

// The newest is 0; behind the oldest there is one that does not exist.
JobId Simulation::some_job(Numbers& numbers) {
  const std::size_t place = numbers.below(plain_.jobs.size() + 1);
  if (place == plain_.jobs.size()) return plain_.next_job + numbers.below(2);
  return std::next(plain_.jobs.rbegin(), static_cast<std::ptrdiff_t>(place))->first;
}

// Mostly one that still holds.
RunKey Simulation::some_claim(Numbers& numbers) {
  const bool is_any = numbers.chance(8);
  const std::uint32_t number = numbers.next();
  std::vector<RunKey> held;
  for (const auto& [id, job] : plain_.jobs) {
    if (job.state == State::running) held.push_back({id, job.run, job.worker});
  }
  const std::vector<RunKey>& from = is_any || held.empty() ? claims_ : held;
  return from.empty() ? RunKey{plain_.next_job, 1, 1} : from[from.size() - 1 - number % from.size()];
}

WorkerId Simulation::some_worker(Numbers& numbers) {
  const std::uint32_t number = numbers.next();
  if (plain_.workers.empty() || number % 100 > 97) return number;
  return std::next(plain_.workers.rbegin(), static_cast<std::ptrdiff_t>(number % plain_.workers.size()))->first;
}

}  // namespace tq::engine
