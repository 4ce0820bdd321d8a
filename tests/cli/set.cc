#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

JobInfo job(const Sandbox& sandbox, JobId id) {
  return TaskQueue(std::filesystem::path(sandbox.store())).get(id).value();
}

BOOST_AUTO_TEST_SUITE(cli_set)

BOOST_AUTO_TEST_CASE(set_changes_jobs_that_wait) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  sandbox.ok({"add", "--label", "x", "--", "true"});
  sandbox.ok({"set", "1", "2", "queue=mail", "priority=-7", "at=2100-01-01T00:00:00Z", "labels=a,b"});
  for (const JobId id : {1u, 2u}) {
    BOOST_TEST(job(sandbox, id).queue == "mail");
    BOOST_TEST(job(sandbox, id).priority == -7);
    BOOST_TEST((job(sandbox, id).state == State::scheduled));
    BOOST_TEST(job(sandbox, id).labels == (std::vector<std::string>{"a", "b"}));
  }
  sandbox.ok({"set", "1", "labels=", "at=+0s"});
  BOOST_TEST(job(sandbox, 1).labels.empty());
  BOOST_TEST((job(sandbox, 1).state == State::ready));
  BOOST_TEST(job(sandbox, 1).queue == "mail");
}

BOOST_AUTO_TEST_CASE(set_names_what_is_wrong) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  check_refused(sandbox.tq({"set", "1"}), 2, "there is nothing to set");
  check_refused(sandbox.tq({"set", "priority=1"}), 2, "ID is missing");
  check_refused(sandbox.tq({"set", "1", "prio=1"}), 2, "prio: there is no such setting");
  check_refused(sandbox.tq({"set", "1", "priorit=1"}), 2, "did you mean 'priority'?");
  check_refused(sandbox.tq({"set", "1", "priority=x"}), 2, "priority: 'x' is no whole number");
  check_refused(sandbox.tq({"set", "1", "at=noon"}), 2, "at: 'noon' is no time");
  check_refused(sandbox.tq({"set", "1", "queue="}), 2, "the queue name is empty");
  check_refused(sandbox.tq({"set", "7", "priority=1"}), 3, "there is no job 7");
  sandbox.drain();
  check_refused(sandbox.tq({"set", "1", "priority=1"}), 4, "job 1 is succeeded");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
