#include "cli/job_table.hpp"
#include "cli/job_text.hpp"
#include "cli/json_values.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"

#include <limits>

namespace tq::cli {
namespace {

// The store as it is now.
struct Picture {
  std::vector<QueueInfo> queues;
  std::vector<JobInfo> running;
  std::vector<WorkerInfo> workers;  // that are alive
};

Picture look(const TaskQueue& store) {
  Picture picture;
  picture.queues = store.queues();
  JobFilter filter;
  filter.states = {State::running};
  filter.limit = std::numeric_limits<std::size_t>::max();
  picture.running = store.list(filter);
  picture.workers = store.workers();
  std::erase_if(picture.workers, [](const WorkerInfo& worker) { return !worker.alive; });
  return picture;
}

std::string limited(const QueueInfo& queue) {
  const std::string count = std::to_string(queue.unfinished());
  return queue.settings.max_size == 0 ? count : fmt::format("{}/{}", count, queue.settings.max_size);
}

void print_queues(Session& session, const std::vector<QueueInfo>& queues) {
  Table table({{"QUEUE"},
               {"READY", true},
               {"RUNNING", true},
               {"LATER", true},
               {"UNFINISHED", true},
               {"SUCCEEDED", true},
               {"FAILED", true},
               {""}});
  const auto coloured = [](std::uint64_t count, Colour colour) {
    return Cell(std::to_string(count), count == 0 ? Colour::dim : colour);
  };
  for (const QueueInfo& queue : queues) {
    const std::uint64_t later = queue.waiting() - queue[State::ready];
    table.row({{queue.name, Colour::bold},
               coloured(queue[State::ready], Colour::none),
               coloured(queue[State::running], Colour::cyan),
               coloured(later, Colour::none),
               {limited(queue)},
               coloured(queue[State::succeeded], Colour::green),
               coloured(queue[State::failed], Colour::red),
               {queue.paused ? "paused" : "", Colour::yellow}});
  }
  if (!table.empty()) table.print(session.out(), session.out_terminal(), !session.quiet());
}

// What a person would do next.
std::string hint(const Picture& picture) {
  std::uint64_t ready = 0;
  std::uint64_t failed = 0;
  for (const QueueInfo& queue : picture.queues) {
    ready += queue.paused ? 0 : queue[State::ready];
    failed += queue[State::failed];
  }
  if (picture.queues.empty()) return "nothing here yet: 'tq add -- COMMAND' adds a job";
  if (ready != 0 && picture.workers.empty()) return "'tq worker' runs jobs";
  if (failed != 0) return "'tq dead ls' shows what failed, 'tq dead retry' runs it again";
  return "'tq ls' lists jobs, 'tq --help' says what else there is";
}

std::string workers_line(const std::vector<WorkerInfo>& workers) {
  std::uint64_t slots = 0;
  for (const WorkerInfo& worker : workers) slots += worker.concurrency;
  if (workers.empty()) return "no workers";
  return fmt::format("{}, {} at a time", count_of(workers.size(), "worker"), count_of(slots, "job"));
}

class Status : public Verb {
 public:
  void declare(Parameters&) override {}

  int run(Session& session) override {
    const TaskQueue& store = session.store();
    const Picture picture = look(store);
    if (session.json()) {
      session.out().line(to_json(store, picture).text());
      return kDone;
    }
    print_queues(session, picture.queues);
    if (!picture.running.empty()) {
      session.out().line("");
      print_jobs(session, store, picture.running);
    }
    session.out().flush();
    session.confirm(fmt::format("\n{}; {}", workers_line(picture.workers), hint(picture)));
    return kDone;
  }

 private:
  static Json to_json(const TaskQueue& store, const Picture& picture) {
    std::vector<Json> queues;
    std::vector<Json> running;
    std::vector<Json> workers;
    for (const QueueInfo& queue : picture.queues) queues.push_back(to_json_member(queue));
    for (const JobInfo& job : picture.running) running.push_back(to_json_member(job, command_of(store, job)));
    for (const WorkerInfo& worker : picture.workers) workers.push_back(to_json_member(worker));
    Json json = Json::line();
    json.add("file", store.path().native()).add("queues", queues);
    return json.add("running", running).add("workers", workers);
  }
};

}  // namespace

std::unique_ptr<Verb> make_status() { return std::make_unique<Status>(); }

}  // namespace tq::cli
