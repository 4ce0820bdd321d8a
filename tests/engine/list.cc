// Which jobs list() finds, through an index and through the jobs themselves.
#include "engine/query.hpp"
#include "world.hpp"

#include <algorithm>
#include <set>

namespace tq::engine {
namespace {

constexpr State kStates[] = {State::blocked,   State::scheduled, State::ready,  State::running,   State::retrying,
                             State::forwarded, State::succeeded, State::failed, State::cancelled, State::expired};

struct Listing : World {
  const WorkerId w = worker();

  // A dozen jobs of each state but two, in two queues, of two tasks, with a label or two; claimed and ended as they come.
  void add_some_of_each() {
    for (std::uint32_t i = 0; i < 12; ++i) {
      const EnqueueOptions options{
          .queue = i % 2 == 0 ? "even" : "odd",
          .priority = 1,
          .labels = i % 3 == 0 ? std::vector<std::string>{"three", "all"} : std::vector<std::string>{"all"}};
      const std::string task = i % 4 < 2 ? "a" : "b";
      for (const auto kind : {Outcome::Kind::succeeded, Outcome::Kind::failed, Outcome::Kind::cancelled}) {
        for (const bool for_good : {false, true}) {
          add(options, task);
          const std::vector<Claimed> claimed = claim({.worker = w, .tasks = {"a", "b"}, .limit = 1});
          finish(claimed.at(0), {.kind = kind, .for_good = for_good});
        }
      }
      add(options, task);
      claim({.worker = w, .tasks = {"a", "b"}, .limit = 1});
      EnqueueOptions later = options;
      later.delay = 1h;
      add(later, task);
    }
    add_many(3, {.queue = "even", .expires_in = 1ms}, "a");
    clock.advance(1ms);
    fire_due();
    for (std::uint32_t i = 0; i < 12; ++i) add({.queue = i % 2 == 0 ? "even" : "odd"}, i % 4 < 2 ? "a" : "b");
  }

  // What `filter` has to give, found the slow way.
  std::string expected(const JobFilter& filter) {
    std::vector<JobId> found;
    for (JobId id = header_count(); id >= 1 && found.size() < filter.limit; --id) {
      const std::optional<JobInfo> job = job_info(read(), id);
      if (!job || (filter.before != 0 && id >= filter.before)) continue;
      if (!filter.states.empty() && std::count(filter.states.begin(), filter.states.end(), job->state) == 0) continue;
      if (!filter.queue.empty() && job->queue != filter.queue) continue;
      if (!filter.task.empty() && job->task != filter.task) continue;
      if (!filter.label.empty() && std::count(job->labels.begin(), job->labels.end(), filter.label) == 0) continue;
      found.push_back(id);
    }
    return ids(found);
  }
  JobId header_count() const { return totals(read()).next_job - 1; }

  void compare_all_combinations() {
    std::vector<std::vector<State>> states{{}, {State::failed, State::ready}, {State::retrying, State::running}};
    for (const State state : kStates) states.push_back({state});
    for (const auto& wanted : states) {
      for (const char* queue : {"", "even", "odd"}) {
        for (const char* task : {"", "a", "unheard-of"}) {
          for (const char* label : {"", "three", "none"}) {
            const JobFilter filter{.states = wanted, .queue = queue, .task = task, .label = label, .limit = 1000};
            compare(filter);
          }
        }
      }
    }
  }
  void compare(JobFilter filter) {
    const std::string all = ids(list(filter));
    const std::string right = expected(filter);
    BOOST_TEST(all == right);
    filter.limit = 5;
    filter.before = header_count() / 2;
    const std::string some = ids(list(filter));
    const std::string right_some = expected(filter);
    BOOST_TEST(some == right_some);
  }
};

BOOST_FIXTURE_TEST_SUITE(list_, Listing)

BOOST_AUTO_TEST_CASE(jobs_are_listed_newest_first) {
  add_many(5);
  BOOST_TEST(ids(list()) == "5 4 3 2 1");
  BOOST_TEST(ids(list({.limit = 2})) == "5 4");
  BOOST_TEST(ids(list({.before = 4, .limit = 2})) == "3 2");
  BOOST_TEST(ids(list({.before = 2})) == "1");
  BOOST_TEST(list({.before = 1}).empty());
  BOOST_TEST(ids(list({.before = 100, .limit = 1})) == "5");
  BOOST_TEST(ids(list({.before = UINT64_MAX, .limit = 1})) == "5");
  BOOST_TEST(list({.limit = 0}).empty());
}

BOOST_AUTO_TEST_CASE(a_store_without_jobs_lists_none) {
  BOOST_TEST(list().empty());
  BOOST_TEST(list({.states = {State::ready}}).empty());
  BOOST_TEST(list({.task = "unheard-of"}).empty());
}

BOOST_AUTO_TEST_CASE(a_queue_that_does_not_exist_is_an_error) {
  add();
  BOOST_CHECK_THROW(list({.queue = "nowhere"}), NotFound);
}

BOOST_AUTO_TEST_CASE(every_combination_of_filters_gives_what_a_slow_look_gives_through_the_index) {
  add_some_of_each();
  compare_all_combinations();
}

BOOST_AUTO_TEST_CASE(and_through_the_jobs_when_too_many_could_match) {
  add_some_of_each();
  add_many(4097);
  add_many(4097, {.delay = 1h});
  for (const State state : {State::ready, State::scheduled, State::retrying, State::failed}) {
    for (const char* queue : {"", "even", "default"}) {
      compare({.states = {state}, .queue = queue, .limit = 10});
      compare({.states = {state, State::running}, .queue = queue, .label = "three", .limit = 10});
    }
  }
}

BOOST_AUTO_TEST_CASE(pages_of_a_list_put_together_are_the_list) {
  add_some_of_each();
  for (const std::vector<State>& states : {std::vector<State>{}, {State::failed, State::retrying}}) {
    std::vector<JobInfo> all;
    for (;;) {
      const std::vector<JobInfo> page = list({.states = states, .before = all.empty() ? 0 : all.back().id, .limit = 7});
      if (page.empty()) break;
      all.insert(all.end(), page.begin(), page.end());
    }
    BOOST_TEST(ids(all) == ids(list({.states = states, .limit = 1000})));
  }
}

BOOST_AUTO_TEST_CASE(a_job_without_an_index_of_its_state_is_found_too) {
  NewJob job = make();
  job.draft.header.state = State::blocked;
  change([&](Ledger& ledger) { enqueue(ledger, std::move(job)); });
  add();
  BOOST_TEST(ids(list({.states = {State::blocked}})) == "1");
  BOOST_TEST(ids(list({.states = {State::blocked, State::ready}})) == "2 1");
  BOOST_TEST(list({.states = {State::forwarded}}).empty());
  cancel(1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
