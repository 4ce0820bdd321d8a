#include "engine/ledger.hpp"
#include "queue/impl.hpp"
#include "rot/store.hpp"

#include <fmt/core.h>

namespace tq::test {
namespace {

std::int64_t ms(Time time) { return time.time_since_epoch().count(); }
std::int64_t ms(const std::optional<Time>& time) { return time ? ms(*time) : -1; }

std::string text(const JobInfo& job) {
  std::string labels;
  for (const std::string& label : job.labels) labels += label + ',';
  return fmt::format("{} {} {} {} {} | {} {} {} | {} {} {} {} {} | {} {} {} {} {} | {} {} {} {} {} {} | {} {} {} {} {}",
                     job.id, to_string(job.state), job.queue, job.task, job.priority, job.attempt, job.max_retries,
                     job.crashes, ms(job.enqueued), ms(job.due), ms(job.started), ms(job.finished), ms(job.expires),
                     job.timeout.count(), static_cast<int>(job.backoff.kind), job.backoff.base.count(),
                     job.backoff.cap.count(), job.backoff.jitter, job.result_ttl.value_or(Duration(-1)).count(), labels,
                     job.worker, job.cancel_requested, job.exit_code.value_or(-1), job.error, job.codec,
                     job.payload_bytes, job.result_bytes, job.log_bytes, job.log_dropped_bytes);
}

std::string text(const Event& event) {
  return fmt::format("{} {} {} {} {} {} {} {} {}", event.seq, ms(event.time), to_string(event.type), event.job,
                     event.attempt, event.worker, event.queue, event.fraction, event.text);
}

std::string text(const QueueInfo& queue) {
  std::string counts;
  for (const std::uint64_t count : queue.count) counts += std::to_string(count) + ',';
  return fmt::format("{} {} {} {}", queue.name, queue.paused, queue.settings.max_size, counts);
}

std::string text(const WorkerInfo& worker) {
  std::string names;
  for (const auto* list : {&worker.queues, &worker.tasks}) {
    for (const std::string& name : *list) names += name + ',';
  }
  return fmt::format("{} {} {} {} {} {}", worker.id, worker.host, ms(worker.started), worker.concurrency, names,
                     worker.stopping);
}

// But for the sizes of files.
std::string text(const Stats& stats) {
  std::string counts;
  for (const std::uint64_t count : stats.count) counts += std::to_string(count) + ',';
  return fmt::format("{} {} {} {} {} {} {} {} {} {}", counts, stats.enqueued, stats.attempts, stats.succeeded,
                     stats.failed, stats.cancelled, stats.expired, stats.crashes, stats.last_event, stats.queues);
}

std::string text(const LogChunk& chunk) {
  return fmt::format("{} {} {} {} {}", chunk.seq, ms(chunk.time), chunk.attempt, static_cast<int>(chunk.stream),
                     chunk.bytes);
}

std::string text(const Reason& reason) { return reason.code + ": " + reason.text; }

std::string text(const Payload& payload) { return payload.codec + ' ' + payload.bytes; }

std::string text(const Result& result) {
  return fmt::format("{} {} {} {}", to_string(result.state), text(result.value), result.error,
                     result.exit_code.value_or(-1));
}

std::string text(const std::string& bytes) { return bytes; }

template <class T>
std::string text(const std::optional<T>& answer) {
  return answer ? text(*answer) : "nothing";
}

template <class T>
std::string text(const std::vector<T>& answers) {
  std::string all;
  for (const T& answer : answers) all += text(answer) + '\n';
  return all;
}

// What says "no" is an answer; what says "damaged" is not.
template <class Ask>
Question question(std::string name, Ask ask) {
  return {std::move(name), [ask = std::move(ask)](TaskQueue& queue) -> std::string {
            try {
              return text(ask(queue));
            } catch (const NotFound& no) {
              return no.what();
            } catch (const Conflict& no) {
              return no.what();
            }
          }};
}

}  // namespace

std::vector<Question> questions(JobId first, JobId last) {
  std::vector<Question> all;
  all.push_back(question("list", [](TaskQueue& queue) { return queue.list({.limit = 10'000}); }));
  for (int state = 1; state < static_cast<int>(kStateCount); ++state) {
    all.push_back(question(fmt::format("list {}", to_string(static_cast<State>(state))), [state](TaskQueue& queue) {
      return queue.list({.states = {static_cast<State>(state)}, .limit = 10'000});
    }));
  }
  all.push_back(question("list a label", [](TaskQueue& queue) { return queue.list({.label = "label"}); }));
  all.push_back(question("list a queue", [](TaskQueue& queue) { return queue.list({.queue = "mail"}); }));
  all.push_back(question("events", [](TaskQueue& queue) { return queue.events({.limit = 100'000}); }));
  all.push_back(question("queues", [](TaskQueue& queue) { return queue.queues(); }));
  all.push_back(question("workers", [](TaskQueue& queue) { return queue.workers(); }));
  all.push_back(question("stats", [](TaskQueue& queue) { return queue.stats(); }));
  for (JobId id = first; id <= last; ++id) {
    const auto of_job = [&](std::string_view what, auto ask) {
      all.push_back(question(fmt::format("{} of job {}", what, id), [id, ask](TaskQueue& q) { return ask(q, id); }));
    };
    of_job("state", [](TaskQueue& queue, JobId job) { return queue.get(job); });
    of_job("payload", [](TaskQueue& queue, JobId job) { return queue.payload(job); });
    of_job("result", [](TaskQueue& queue, JobId job) { return queue.result(job); });
    of_job("saved state", [](TaskQueue& queue, JobId job) { return queue.saved(job); });
    of_job("output", [](TaskQueue& queue, JobId job) { return queue.log(job); });
    of_job("reasons", [](TaskQueue& queue, JobId job) { return queue.why(job); });
    of_job("events", [](TaskQueue& queue, JobId job) { return queue.events({.job = job}); });
  }
  return all;
}

}  // namespace tq::test
