#include "crash/verbs.hpp"

#include "crash/payloads.hpp"
#include "support/marked.hpp"

#include <tq/upkeep.hpp>
#include <tq/worker.hpp>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>

namespace tq::test {
namespace {

using namespace std::chrono_literals;

const Backoff kNoWait{.kind = Backoff::Kind::constant, .base = 0ms, .jitter = 0};

// One of each form in which a store keeps bytes: in the record, in a record of its own, in chunks, in a file.
const std::vector<std::size_t> kSizes = {100, 1'500, 9'000, 70'000};

Payload payload(std::size_t size) {
  std::mt19937_64 random(size);
  return make_payload(random, size);
}

void require(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

std::vector<JobInfo> jobs(TaskQueue& queue, JobFilter filter = {}) {
  filter.limit = 1'000'000;
  return queue.list(filter);
}

// --- adding ---

// All of these are there, and whole; or none.
bool are_added(TaskQueue& queue, std::size_t count) {
  const auto added = jobs(queue, {.task = "new"});
  require(added.empty() || added.size() == count, "some of the jobs were added");
  for (const JobInfo& job : added) {
    require(job.state == State::ready, "an added job is " + std::string(to_string(job.state)));
    require(is_whole(queue.payload(job.id)->bytes), "an added job is not whole");
  }
  return !added.empty();
}

Verb enqueue_of(const std::string& name, std::size_t size) {
  return {"enqueue " + name, [](TaskQueue& queue) { queue.enqueue("old", {}); },
          [size](TaskQueue& queue) { queue.enqueue("new", payload(size), {.queue = "new"}); },
          [](TaskQueue& queue) { return are_added(queue, 1); }};
}

// With its queue and task known already. What could not be acknowledged may have been added.
Verb enqueue_by_the_intake(const std::string& name, std::size_t size, bool is_first) {
  return {"intake " + name,
          [is_first](TaskQueue& queue) {
            for (int i = is_first ? 1 : 2; i > 0; --i) {
              const JobId id = queue.enqueue("new", {}, {.queue = "new"});
              queue.cancel(id);
              queue.remove(id);
            }
          },
          [size](TaskQueue& queue) {
            if (!are_added(queue, 1)) queue.enqueue("new", payload(size), {.queue = "new"});
          },
          [](TaskQueue& queue) { return are_added(queue, 1); }, is_first};
}

Verb enqueue_many() {
  return {"enqueue many", [](TaskQueue& queue) { queue.enqueue("old", {}); },
          [](TaskQueue& queue) {
            std::vector<JobSpec> specs;
            for (const std::size_t size : kSizes) specs.push_back({"new", payload(size), {}});
            queue.enqueue_many(specs);
          },
          [](TaskQueue& queue) { return are_added(queue, kSizes.size()); }};
}

Verb create() {
  return {"create", nullptr, [](TaskQueue& queue) { queue.enqueue("new", payload(100)); },
          [](TaskQueue& queue) { return are_added(queue, 1); }};
}

// --- steering ---

void add_old(TaskQueue& queue, std::size_t count) {
  std::vector<JobSpec> specs;
  for (std::size_t i = 0; i < count; ++i) specs.push_back({"old", payload(kSizes[i % kSizes.size()]), {}});
  queue.enqueue_many(specs);
}

void cancel_all(TaskQueue& queue) {
  for (const JobInfo& job : jobs(queue, {.states = {State::ready}})) queue.cancel(job.id, "over");
}

// Job 1 is in this state, or still in that one.
bool has_moved(TaskQueue& queue, State from, State to) {
  const State state = queue.get(1).value().state;
  require(state == from || state == to, "job 1 is " + std::string(to_string(state)));
  return state == to;
}

Verb cancel() {
  return {"cancel", [](TaskQueue& queue) { add_old(queue, 1); }, [](TaskQueue& queue) { queue.cancel(1, "no"); },
          [](TaskQueue& queue) { return has_moved(queue, State::ready, State::cancelled); }};
}

Verb retry() {
  return {"retry",
          [](TaskQueue& queue) {
            add_old(queue, 1);
            cancel_all(queue);
          },
          [](TaskQueue& queue) { queue.retry(1); },
          [](TaskQueue& queue) { return has_moved(queue, State::cancelled, State::ready); }};
}

Verb change() {
  return {"set", [](TaskQueue& queue) { add_old(queue, 1); },
          [](TaskQueue& queue) { queue.set(1, {.queue = "new", .priority = 7, .labels = {{"label"}}}); },
          [](TaskQueue& queue) {
            const JobInfo job = queue.get(1).value();
            const bool moved = job.queue == "new";
            require((job.priority == 7) == moved && job.labels.empty() != moved, "a change was made by halves");
            return moved;
          }};
}

Verb pause() {
  return {"pause", [](TaskQueue&) {}, [](TaskQueue& queue) { queue.pause("new"); },
          [](TaskQueue& queue) {
            const auto made = queue.queue("new");
            require(!made || made->paused, "a queue was made, but not paused");
            return made.has_value();
          }};
}

// Of many jobs with all kinds of payload: those that are left are whole.
bool are_removed(TaskQueue& queue, std::size_t of) {
  const auto left = jobs(queue, {.task = "old"});
  require(left.size() <= of, "there are more jobs than before");
  for (const JobInfo& job : left) {
    if (!is_whole(queue.payload(job.id)->bytes)) throw std::runtime_error("a job was removed by halves");
  }
  return left.empty();
}

Verb remove() {
  return {"remove",
          [](TaskQueue& queue) {
            queue.enqueue("old", payload(70'000));
            cancel_all(queue);
          },
          [](TaskQueue& queue) {
            if (queue.get(1)) queue.remove(1);
          },
          [](TaskQueue& queue) { return are_removed(queue, 1); }};
}

Verb purge() {
  return {"purge", [](TaskQueue& queue) { add_old(queue, 600); }, [](TaskQueue& queue) { queue.purge("default"); },
          [](TaskQueue& queue) {
            const bool removed = are_removed(queue, 600);
            const std::size_t left = jobs(queue).size();
            require(left == 600 || left == 100 || removed, "a batch was removed by halves");
            return removed;
          }};
}

Verb purge_dead() {
  return {"purge dead",
          [](TaskQueue& queue) {
            add_old(queue, 8);
            Worker worker(queue, {.drain = true});
            worker.handle("old", [](const Payload&, Context&) -> Payload { throw Verdict::fail("no"); });
            worker.run();
          },
          [](TaskQueue& queue) { queue.purge_dead(); }, [](TaskQueue& queue) { return are_removed(queue, 8); }};
}

// --- working ---

// A worker that does what there is to do, each job in a way of its own.
void drain(TaskQueue& queue) {
  WorkerOptions options;
  options.concurrency = 3;
  options.max_crashes = 1000;
  options.commands = true;
  options.drain = true;
  Worker worker(queue, options);
  worker.handle("give", [](const Payload& bytes, Context&) { return bytes; });
  worker.handle("fail", [](const Payload&, Context&) -> Payload { throw std::runtime_error("no"); });
  worker.handle("save", [](const Payload& bytes, Context& context) {
    if (const auto saved = context.saved()) require(is_whole(*saved), "what was saved is not whole");
    context.save(bytes.bytes);
    context.log("saved");
    return Payload{};
  });
  worker.handle("snooze", [](const Payload&, Context&) -> Payload { throw Verdict::snooze(1h); });
  worker.handle("follow", [](const Payload& bytes, Context& context) {
    context.enqueue("next", bytes, {.queue = "next"});
    context.enqueue("next", {}, {.queue = "next"});
    return Payload{};
  });
  worker.run();
}

void add_work(TaskQueue& queue) {
  for (const std::size_t size : kSizes) queue.enqueue("give", payload(size), {.max_retries = 9, .backoff = kNoWait});
  queue.enqueue("fail", {}, {.max_retries = 1, .backoff = kNoWait});
  queue.enqueue("save", payload(70'000), {.max_retries = 9, .backoff = kNoWait});
  queue.enqueue("snooze", {});
  for (const std::size_t size : {kSizes.front(), kSizes.back()}) {
    queue.enqueue("follow", payload(size), {.max_retries = 9, .backoff = kNoWait});
  }
  queue.enqueue(shell("echo out; exit 3"));
}

bool is_worked_off(TaskQueue& queue) {
  bool all = true;
  std::size_t followed = 0;
  for (const JobInfo& job : jobs(queue)) {
    if (job.task == "next") continue;
    if (!is_final(job.state)) {
      require(job.state != State::running, "a job is still running");
      all = all && job.state == State::scheduled && job.task == "snooze";
      continue;
    }
    const Result result = queue.result(job.id).value();
    const bool fails = job.task == "fail" || job.task == "exec";
    require(job.state == (fails ? State::failed : State::succeeded), job.task + ": " + result.error);
    if (job.task == "give") require(is_whole(result.value.bytes), "a result is not whole");
    if (job.task == "save") require(is_whole(queue.saved(job.id).value()), "what was saved is not whole");
    if (job.task == "follow") ++followed;
    if (job.task == "exec") require(job.exit_code == 3, "an exit status was lost");
  }
  const auto next = jobs(queue, {.task = "next"});
  require(next.size() == 2 * followed, "follow-ups do not go with their success");
  for (const JobInfo& job : next) {
    if (job.payload_bytes != 0) require(is_whole(queue.payload(job.id)->bytes), "a follow-up is not whole");
  }
  return all;
}

Verb work() { return {"work", add_work, drain, is_worked_off}; }

Verb collect() {
  return {"collect",
          [](TaskQueue& queue) {
            std::vector<JobSpec> specs(600, {"old", payload(100), {.result_ttl = 0ms}});
            specs.push_back({"old", payload(70'000), {.result_ttl = 0ms}});
            queue.enqueue_many(specs);
            cancel_all(queue);
          },
          [](TaskQueue& queue) { queue.collect(); }, [](TaskQueue& queue) { return are_removed(queue, 601); }};
}

// --- upkeep ---

// Another store beside that of the queue.
std::filesystem::path beside(const TaskQueue& queue, const char* suffix) { return queue.path().native() + suffix; }

// There is none, or it has the four old jobs.
bool is_copy(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return false;
  TaskQueue copy(path, {.create = false});
  require(jobs(copy, {.task = "old"}).size() == kSizes.size(), "the copy has lost jobs");
  for (const JobInfo& job : jobs(copy)) {
    require(is_whole(copy.payload(job.id)->bytes), "a job of the copy is not whole");
  }
  require(copy.check(true).problems.empty(), "the copy has problems");
  return true;
}

Verb copy_verb(const char* name, const std::function<void(TaskQueue&)>& prepare,
               const std::function<void(TaskQueue&)>& act, const std::function<bool(TaskQueue&)>& is_done) {
  const auto prepare_all = [prepare](TaskQueue& queue) {
    add_old(queue, kSizes.size());
    if (prepare) prepare(queue);
  };
  const auto act_once = [act, is_done](TaskQueue& queue) {
    if (!is_done(queue)) act(queue);
  };
  return {name, prepare_all, act_once, is_done, true};
}

Verb back_up() {
  return copy_verb(
      "backup", nullptr, [](TaskQueue& queue) { backup(queue, beside(queue, "-copy")); },
      [](TaskQueue& queue) { return is_copy(beside(queue, "-copy")); });
}

Verb restore_in_place_of_another() {
  return copy_verb(
      "restore",
      [](TaskQueue& queue) {
        backup(queue, beside(queue, "-copy"));
        backup(queue, beside(queue, "-old"));
      },
      [](TaskQueue& queue) { restore(beside(queue, "-copy"), beside(queue, "-old"), true); },
      [](TaskQueue& queue) {
        // The one that is renamed is whole again when the new one is there.
        return is_copy(beside(queue, "-old")) && is_copy(beside(queue, "-old-replaced"));
      });
}

void import_copy(TaskQueue& queue) {
  std::vector<Record> records;
  export_records(queue, [&](const Record& record) { records.push_back(record); });
  std::size_t next = 0;
  import_records(beside(queue, "-copy"),
                 [&] { return next < records.size() ? std::optional(records[next++]) : std::nullopt; });
}

Verb import() {
  return copy_verb("import", nullptr, import_copy, [](TaskQueue& queue) { return is_copy(beside(queue, "-copy")); });
}

Verb repair_copy() {
  const auto is_repaired = [](TaskQueue& queue) {
    const auto copy = beside(queue, "-copy");
    require(is_copy(copy), "the store is gone");
    const auto kept = beside(queue, "-copy-damaged");
    return std::filesystem::exists(kept) && !std::filesystem::equivalent(copy, kept);
  };
  return copy_verb(
      "repair", [](TaskQueue& queue) { backup(queue, beside(queue, "-copy")); },
      [](TaskQueue& queue) { repair(beside(queue, "-copy"), [](const Damage&) {}); }, is_repaired);
}

}  // namespace

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> all = {enqueue_of("in the record", kSizes[0]),
                                        enqueue_of("in a record of its own", kSizes[1]),
                                        enqueue_of("in chunks", kSizes[2]),
                                        enqueue_of("in a file", kSizes[3]),
                                        enqueue_by_the_intake("made", kSizes[0], true),
                                        enqueue_by_the_intake("in the record", kSizes[0], false),
                                        enqueue_by_the_intake("in chunks", kSizes[2], false),
                                        enqueue_many(),
                                        create(),
                                        cancel(),
                                        retry(),
                                        change(),
                                        pause(),
                                        remove(),
                                        purge(),
                                        purge_dead(),
                                        work(),
                                        collect(),
                                        back_up(),
                                        restore_in_place_of_another(),
                                        import(),
                                        repair_copy()};
  return all;
}

const Verb& verb(const std::string& name) {
  const auto found = std::find_if(verbs().begin(), verbs().end(), [&](const Verb& verb) { return verb.name == name; });
  require(found != verbs().end(), "there is no verb '" + name + "'");
  return *found;
}

}  // namespace tq::test
