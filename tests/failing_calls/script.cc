// script STORE: a host program's life in small, with a shim preloaded that makes one of its calls fail. Says what it does in
// lines on standard output, before ("try") and after:
//
//   try NAME SIZE          adds that job: from now on it may be there
//   added NAME ID          it was acknowledged
//   change NAME            it may be in another state from now on
//   is NAME STATE          that was acknowledged, or read
//   leave NAME, left NAME  it may be gone; it is
//   failed STEP KIND TEXT  a step has thrown
//   count CLASS NUMBER     at the end: how many calls there were
//   end                    the last line of all
#include "base/fd.hpp"
#include "failing_calls/jobs.hpp"
#include "failing_calls/shim.hpp"
#include "support/marked.hpp"

#include <tq/tq.hpp>

#include <dlfcn.h>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <set>
#include <sys/resource.h>
#include <unistd.h>

namespace tq::test {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPatience = 60s;

template <class Function>
Function shim(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_DEFAULT, name));
}

const auto shim_hush = shim<ShimHush>("tq_shim_hush");

// Only what is done in a step counts: the rest is the script's own, and does not fail.
class Hush {
 public:
  explicit Hush(bool on) : on_(on) { hush(on_); }
  ~Hush() { hush(!on_); }
  Hush(const Hush&) = delete;
  Hush& operator=(const Hush&) = delete;

 private:
  static void hush(bool on) {
    if (shim_hush != nullptr) shim_hush(on ? 1 : 0);
  }
  const bool on_;
};

void say(const std::string& line) { base::write_all(STDOUT_FILENO, line + '\n', "standard output"); }

class Script {
 public:
  explicit Script(std::string store) : store_(std::move(store)) {}

  void run() {
    add_all();
    steer();
    work("work");
    look();
    again();
    work("work-again");
    step("collect", [this] { queue_->collect(); });
    add("last", "give", 100);
    step("close", [this] { queue_.reset(); });
  }

 private:
  // A host that meets a failure of the store opens it anew; a full disk is no reason to.
  template <class Act>
  void step(const std::string& name, Act act) {
    try {
      const Hush step(false);
      if (!queue_) queue_.emplace(store_);
      act();
    } catch (const DiskFull& error) {
      failed(name, "DiskFull", error);
    } catch (const StoreError& error) {
      failed(name, "StoreError", error);
      queue_.reset();
    } catch (const Error& error) {
      failed(name, "Error", error);
    } catch (const std::bad_alloc& error) {
      failed(name, "bad_alloc", error);
    } catch (const std::exception& error) {
      failed(name, "other", error);
    }
  }

  static void failed(const std::string& name, const std::string& kind, const std::exception& error) {
    say("failed " + name + ' ' + kind + ' ' + error.what());
  }

  static void tell(const std::string& verb, const std::string& name, const std::string& rest = {}) {
    const Hush aside(true);
    say(verb + ' ' + name + (rest.empty() ? "" : " ") + rest);
  }

  void added(const std::string& name, JobId id) {
    const Hush aside(true);
    ids_[name] = id;
    say("added " + name + ' ' + std::to_string(id));
  }

  static JobSpec spec(const std::string& name, const std::string& task, std::size_t size, EnqueueOptions options) {
    say("try " + name + ' ' + std::to_string(size));
    return {task, {"raw", bytes_of(name, size)}, std::move(options)};
  }

  void add(const std::string& name, const std::string& task, std::size_t size, EnqueueOptions options = at_once()) {
    const JobSpec job = spec(name, task, size, std::move(options));
    step(name, [&] { added(name, queue_->enqueue(job.task, job.payload, job.options)); });
  }

  void add_all() {
    add("a1", "give", 100);
    add("a2", "give", 100);  // from here on through the intake
    add("a3", "give", 1'500);
    add("a4", "give", 9'000);
    add("a5", "give", 70'000);
    std::vector<JobSpec> many;
    for (const auto& [name, size] : {std::pair("m1", 100u), std::pair("m2", 9'000u), std::pair("m3", 70'000u)})
      many.push_back(spec(name, "give", size, at_once()));
    step("many", [&] {
      const auto ids = queue_->enqueue_many(many);
      for (std::size_t i = 0; i < ids.size(); ++i) added("m" + std::to_string(i + 1), ids[i]);
    });
    add("flaky", "flaky", 100);
    add("doomed", "doomed", 100, at_once(0));
    add("later", "give", 100, {.delay = 1h});
    add("gone", "give", 70'000, {.delay = 1h});
    add("moved", "give", 100, {.delay = 1h});
    const auto command = shell("echo c1");
    tell("try", "c1", "0");
    step("c1", [&] { added("c1", queue_->enqueue(command, at_once())); });
  }

  // Does it to a job, if that was added.
  template <class Act>
  void change(const std::string& name, const std::string& announced, const std::string& done, Act act) {
    if (!ids_.contains(name)) return;
    tell(announced, name);
    step(announced + '-' + name, [&] {
      act(ids_.at(name));
      tell(done.substr(0, done.find(' ')), name, done.find(' ') == done.npos ? "" : done.substr(done.find(' ') + 1));
    });
  }

  void steer() {
    change("later", "change", "is cancelled", [this](JobId id) { queue_->cancel(id, "no"); });
    change("gone", "change", "is cancelled", [this](JobId id) {
      queue_->cancel(id);
      cancelled_.insert("gone");
    });
    if (cancelled_.contains("gone")) change("gone", "leave", "left", [this](JobId id) { queue_->remove(id); });
    change("moved", "change", "is scheduled", [this](JobId id) { queue_->set(id, {.priority = 7}); });
    step("pause", [this] { queue_->pause("heap"); });
    step("configure", [this] { queue_->configure("heap", {.max_size = 10}); });
    add("h1", "give", 100, {.queue = "heap"});
    add("h2", "give", 9'000, {.queue = "heap"});
    for (const char* name : {"h1", "h2"}) tell("leave", name);
    step("purge", [this] {
      queue_->purge("heap");
      for (const char* name : {"h1", "h2"}) tell("left", name);
    });
    step("resume", [this] { queue_->resume("heap"); });
  }

  void work(const std::string& name) {
    for (const auto& [job, id] : ids_) {
      if (!waits(job) && !succeeded_.contains(job)) tell("change", job);
    }
    step(name, [this] {
      Worker worker(*queue_, {.concurrency = 2,
                              .shutdown_grace = 0ms,
                              .kill_grace = 100ms,
                              .max_crashes = 1000,
                              .commands = true,
                              .drain = true});
      handle_all(worker);
      worker.run();
    });
  }

  static bool waits(const std::string& job) { return job == "later" || job == "gone" || job == "moved"; }

  void look() {
    for (const auto& [name, id] : ids_) {
      step("look-" + name, [&, name = name, id = id] {
        const auto job = queue_->get(id);
        if (!job) return;
        tell("is", name, std::string(to_string(job->state)));
        if (job->state == State::succeeded) succeeded_.insert(name);
        queue_->payload(id);
        queue_->log(id);
        queue_->why(id);
        if (is_final(job->state)) queue_->result(id);
        if (is_final(job->state)) queue_->wait(id, kPatience);
      });
    }
    step("list", [this] { queue_->list({.limit = 5}); });
    step("events", [this] { queue_->events({.limit = 50}); });
    step("queues", [this] { queue_->queues(); });
    step("stats", [this] { queue_->stats(); });
  }

  void again() {
    change("doomed", "change", "is ready", [this](JobId id) {
      if (is_final(queue_->get(id).value().state)) queue_->retry(id);
    });
    // What failed is forgotten: not the doomed alone, if what is injected goes on.
    for (const auto& [name, id] : ids_) {
      if (!succeeded_.contains(name)) tell("leave", name);
    }
    step("dead", [this] { queue_->purge_dead(); });
  }

  const std::string store_;
  std::optional<TaskQueue> queue_;
  std::map<std::string, JobId> ids_;
  std::set<std::string> cancelled_;
  std::set<std::string> succeeded_;
};

int run(const char* store) {
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  if (const auto begin = shim<ShimBegin>("tq_shim_begin")) begin();
  const Hush script(true);
  { Script(store).run(); }
  const auto count = shim<ShimCount>("tq_shim_count");
  for (std::size_t i = 0; count != nullptr && i < kCallClasses.size(); ++i) {
    say(std::string("count ") + kCallClasses[i] + ' ' + std::to_string(count(static_cast<int>(i))));
  }
  say("end");
  return 0;
}

}  // namespace
}  // namespace tq::test

int main(int, char** argv) { return tq::test::run(argv[1]); }
