// When the store fails, a run ends with an exception, and nothing runs any more.
#include "base/failpoint.hpp"
#include "engine/keys.hpp"
#include "support/failing_new.hpp"
#include "support/marked.hpp"
#include "worker/turn.hpp"
#include "worker/workshop.hpp"

#include <atomic>

namespace tq {
namespace {

using test::FileStore;
using test::shell;
using test::Signal;
using test::TempDir;
using test::until_asked_to_stop;
using test::Workshop;
using namespace std::chrono_literals;

// Nothing stays armed after a test.
struct Failpoint {
  explicit Failpoint(std::string_view spec) { base::failpoint::arm(spec); }
  ~Failpoint() { base::failpoint::arm({}); }
  Failpoint(const Failpoint&) = delete;
  Failpoint& operator=(const Failpoint&) = delete;
};

BOOST_AUTO_TEST_SUITE(failure)

BOOST_AUTO_TEST_CASE(a_failed_commit_ends_the_run_when_nothing_runs_any_more) {
  TempDir dir;
  const std::string path = dir / "jobs.tq";
  JobId id = 0;
  JobId long_one = 0;
  {
    TaskQueue queue(path);
    Signal running;
    Signal release;
    std::atomic<bool> has_returned = false;
    Worker worker(queue, {.concurrency = 2});
    worker.handle("quick", [&](const Payload&, Context&) {
      running.give();
      release.take();
      return Payload{};
    });
    worker.handle("long", [&](const Payload&, Context& context) -> Payload {
      running.give();
      until_asked_to_stop(context);
      has_returned = true;
      return {};
    });
    id = queue.enqueue("quick", {});
    long_one = queue.enqueue("long", {});
    worker.start();
    running.take(2);
    const Failpoint failpoint("store.commit.before=error");
    release.give();
    BOOST_CHECK_THROW(worker.join(), IoError);
    BOOST_TEST(has_returned);
    BOOST_CHECK_THROW(queue.enqueue("quick", {}), IoError);  // closed to writing
    BOOST_TEST(queue.get(id)->state == State::running);      // but not to reading
  }
  TaskQueue queue(path);
  for (const JobId job : {id, long_one}) {
    BOOST_TEST(queue.get(job)->state == State::ready);
    BOOST_TEST(queue.get(job)->crashes == 1u);
  }
  test::check_clean(queue);
}

BOOST_AUTO_TEST_CASE(a_failed_commit_leaves_no_command_running) {
  TempDir dir;
  const test::Marked marked;
  const std::string path = dir / "jobs.tq";
  {
    TaskQueue queue(path);
    const JobId id = queue.enqueue(marked.mark(shell("echo begun; setsid sleep 1000 & sleep 1000")));
    Worker worker(queue, {.commands = true});
    worker.start();
    // Its output is stored while it runs.
    BOOST_TEST(queue.wait_log(id, 0, test::kPatience));
    const Failpoint failpoint("store.commit.before=error");
    worker.stop();  // writes that it is stopping
    BOOST_CHECK_THROW(worker.join(), IoError);
  }
  BOOST_TEST(marked.running() == 0u);
}

BOOST_AUTO_TEST_CASE(a_full_disk_at_a_completion_ends_the_run_and_loses_nothing) {
  TempDir dir;
  const std::string path = dir / "jobs.tq";
  JobId id = 0;
  {
    TaskQueue queue(path);
    Signal running;
    Signal release;
    Worker worker(queue);
    worker.handle("work", [&](const Payload&, Context&) {
      running.give();
      release.take();
      return Payload{};
    });
    id = queue.enqueue("work", {});
    worker.start();
    running.take();
    const Failpoint failpoint("store.commit.before=full");
    release.give();
    BOOST_CHECK_THROW(worker.join(), DiskFull);
  }
  TaskQueue queue(path);
  BOOST_TEST(queue.get(id)->state == State::ready);
  test::check_clean(queue);
}

BOOST_FIXTURE_TEST_CASE(a_damaged_record_that_the_loop_meets_ends_the_run_in_good_order, Workshop) {
  Signal running;
  std::atomic<bool> has_returned = false;
  handle("work", [&](const Payload&, Context& context) -> Payload {
    running.give();
    until_asked_to_stop(context);
    has_returned = true;
    return {};
  });
  const JobId id = add();
  const auto worker = make();
  worker->start();
  running.take();
  const auto write = [&](std::string_view bytes) {
    auto txn = queue.impl().environment->write();
    store::put(txn, engine::JobKey{id}, bytes);
    txn.commit();
  };
  std::string record;
  {
    const auto txn = queue.impl().environment->read();
    record = store::get(txn, engine::JobKey{id}).value();
  }
  write("no job");
  queue.impl().bell->ring(loop::kTopicWorkers);  // it looks whether one of its jobs was cancelled
  BOOST_CHECK_THROW(worker->join(), Damaged);
  BOOST_TEST(has_returned);
  write(record);
  BOOST_TEST(queue.impl().rescue_dead() == 1u);
  BOOST_TEST(info(id).state == State::ready);
}

BOOST_AUTO_TEST_CASE(a_run_without_memory_for_an_outcome_ends_and_loses_nothing) {
  TempDir dir;
  const std::string path = dir / "jobs.tq";
  JobId id = 0;
  {
    TaskQueue queue(path);
    Worker worker(queue);
    worker.handle("work", [&](const Payload&, Context&) {
      test::failing_bytes = sizeof(worker::Ended);  // it is put into a vector that is empty
      return Payload{};
    });
    id = queue.enqueue("work", {});
    BOOST_CHECK_THROW(worker.run(), std::bad_alloc);
    BOOST_TEST(test::failing_bytes == 0u);
  }
  TaskQueue queue(path);
  BOOST_TEST(queue.get(id)->state == State::ready);
  BOOST_TEST(queue.get(id)->crashes == 1u);
  test::check_clean(queue);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
