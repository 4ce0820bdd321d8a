#include "engine/claim.hpp"

#include "engine/finish.hpp"

#include <algorithm>
#include <memory>
#include <set>

namespace tq::engine {
namespace {

// More jobs than this do not expire in one claim, so that it stays short; fire_due takes the rest.
constexpr std::size_t kMostExpired = 1000;

using Line = std::pair<std::uint32_t, std::uint32_t>;  // queue and task: one run of ReadyKeys

// Lines that are looked at together, as one; the groups come one after the other.
using Group = std::vector<Line>;

bool is_before(const ReadyKey& a, const ReadyKey& b) {
  return std::tie(a.rank, a.due_ms, a.job) < std::tie(b.rank, b.due_ms, b.job);
}

bool may_be_claimed(const model::QueueRecord& queue) {
  return !queue.paused && queue.count[static_cast<std::size_t>(State::ready)] != 0;
}

std::vector<std::uint32_t> all_queues(const store::Transaction& txn) {
  std::vector<std::uint32_t> numbers;
  store::Cursor<QueueKey> cursor(txn);
  for (bool more = cursor.first(); more; more = cursor.next()) numbers.push_back(cursor.key().queue);
  return numbers;
}

std::vector<std::uint32_t> wanted_tasks(const store::Transaction& txn, const ClaimRequest& request) {
  std::vector<std::uint32_t> named;
  for (const std::string& task : request.tasks) {
    if (const auto number = find_task(txn, task)) named.push_back(*number);
  }
  if (!request.tasks_are_excluded) return named;
  std::vector<std::uint32_t> others;
  store::Cursor<TaskKey> cursor(txn);
  for (bool more = cursor.first(); more; more = cursor.next()) {
    const std::uint32_t task = cursor.key().task;
    if (std::find(named.begin(), named.end(), task) == named.end()) others.push_back(task);
  }
  return others;
}

// Each once, also if it was named twice: a line that is looked at twice would give its jobs twice.
std::vector<std::uint32_t> each_once(std::vector<std::uint32_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

// The lines worth looking at, grouped as the request says.
std::vector<Group> groups(Ledger& ledger, const ClaimRequest& request, const std::vector<std::uint32_t>& tasks) {
  std::vector<Group> groups;
  const auto lines_of = [&](std::uint32_t queue, Group& group) {
    if (!may_be_claimed(ledger.queue(queue))) return;
    for (const std::uint32_t task : tasks) group.emplace_back(queue, task);
  };
  if (request.queues.empty()) {
    Group& all = groups.emplace_back();
    for (const std::uint32_t queue : all_queues(ledger.txn())) lines_of(queue, all);
    return groups;
  }
  for (const std::string& name : request.queues) {
    if (const auto queue = ledger.find_queue(name)) lines_of(*queue, groups.emplace_back());
  }
  return groups;
}

// The first `limit` keys of a group, merged from the heads of its lines.
std::vector<ReadyKey> first_of(const store::Transaction& txn, const Group& group, std::size_t limit) {
  struct Head {
    store::Cursor<ReadyKey> cursor;
    Line line;
    ReadyKey key;
  };
  std::vector<std::unique_ptr<Head>> heads;
  const auto is_in_line = [](Head& head) {
    head.key = head.cursor.key();
    return head.key.queue == head.line.first && head.key.task == head.line.second;
  };
  for (const Line& line : group) {
    auto head = std::make_unique<Head>(Head{store::Cursor<ReadyKey>(txn), line, {}});
    const ReadyKey from{line.first, line.second, INT32_MIN, INT64_MIN, 0};
    if (head->cursor.seek(from) && is_in_line(*head)) heads.push_back(std::move(head));
  }
  std::vector<ReadyKey> keys;
  while (keys.size() < limit && !heads.empty()) {
    const auto best = std::min_element(heads.begin(), heads.end(),
                                       [](const auto& a, const auto& b) { return is_before(a->key, b->key); });
    Head& head = **best;
    keys.push_back(head.key);
    if (!head.cursor.next() || !is_in_line(head)) heads.erase(best);
  }
  return keys;
}

// Makes the job the worker's, or lets it expire. Returns whether it was claimed.
bool take(Ledger& ledger, Job& job, WorkerId worker, bool ahead) {
  model::JobHeader& header = job.header();
  if (may_expire(header) && header.expires_ms <= ledger.now_ms()) {
    ledger.finalize(job, State::expired);
    ledger.save(job, EventType::expired, "its deadline to start passed");
    return false;
  }
  header.state = State::running;
  header.worker = worker;
  ++header.run;
  header.set(model::kAhead, ahead);
  ahead ? ledger.save_quietly(job) : begin(ledger, job, ledger.now());
  return true;
}

// How many may be claimed ahead: what is ready beyond `limit` is for all workers alike.
std::size_t fair_share(Ledger& ledger, const std::vector<Group>& groups, const ClaimRequest& request) {
  if (request.ahead == 0) return 0;
  std::size_t workers = 0;
  store::Cursor<WorkerKey> cursor(ledger.txn());
  for (bool more = cursor.first(); more; more = cursor.next()) ++workers;
  std::set<std::uint32_t> queues;
  for (const Group& group : groups) {
    for (const Line& line : group) queues.insert(line.first);
  }
  std::uint64_t ready = 0;
  for (const std::uint32_t queue : queues) ready += ledger.queue(queue).count[static_cast<std::size_t>(State::ready)];
  const std::uint64_t left = ready - std::min<std::uint64_t>(ready, request.limit);
  return std::min<std::uint64_t>(request.ahead, left / workers);
}

}  // namespace

bool has_ready(const store::Transaction& txn, const std::vector<std::string>& queues) {
  const auto is_ready = [&](std::uint32_t queue) { return may_be_claimed(queue_record(txn, queue)); };
  if (queues.empty()) {
    const std::vector<std::uint32_t> all = all_queues(txn);
    return std::any_of(all.begin(), all.end(), is_ready);
  }
  return std::any_of(queues.begin(), queues.end(), [&](const std::string& name) {
    const auto queue = find_queue(txn, name);
    return queue && is_ready(*queue);
  });
}

std::vector<Claimed> claim(Ledger& ledger, const ClaimRequest& request) {
  if (!store::get(ledger.txn(), WorkerKey{request.worker})) return {};
  const std::vector<std::uint32_t> tasks = each_once(wanted_tasks(ledger.txn(), request));
  std::vector<Claimed> claimed;
  std::size_t expired = 0;
  const std::vector<Group> lines = groups(ledger, request, tasks);
  const std::size_t limit = request.limit + fair_share(ledger, lines, request);
  for (const Group& group : lines) {
    while (claimed.size() < limit && expired < kMostExpired) {
      const std::vector<ReadyKey> keys = first_of(ledger.txn(), group, limit - claimed.size());
      if (keys.empty()) break;
      for (const ReadyKey& key : keys) {
        auto job = ledger.load(key.job);
        if (!job || job->stored.state != State::ready) {
          base::fail<Damaged>("job {} is in the line of ready jobs but is {}", key.job,
                              job ? to_string(job->stored.state) : "nowhere");
        }
        const bool ahead = claimed.size() >= request.limit;
        // In the hands of a worker that is busy its deadline would pass unseen.
        if (ahead && may_expire(job->stored) && job->stored.expires_ms > ledger.now_ms()) return claimed;
        if (!take(ledger, *job, request.worker, ahead)) {
          ++expired;
          continue;
        }
        claimed.push_back({job->id, std::move(job->record), ledger.queue(key.queue).name, ledger.task_name(key.task)});
      }
    }
  }
  return claimed;
}

}  // namespace tq::engine
