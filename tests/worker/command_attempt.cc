// Commands: what they get, what becomes of their end and their output, and how they are stopped.
#include "worker/workshop.hpp"

#include "support/marked.hpp"
#include "support/random.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>

namespace tq {
namespace {

using test::Marked;
using test::shell;
using test::Workshop;
using namespace std::chrono_literals;

const WorkerOptions kDrain{.commands = true, .drain = true};
const Backoff kNoWait{.kind = Backoff::Kind::constant, .base = 0ms, .jitter = 0};

// A workshop for commands.
class Commands : public Workshop {
 public:
  explicit Commands(const OpenOptions& options = {}) : Workshop(options) {}

  // What became of the command, run alone.
  JobInfo run(const Command& command, const EnqueueOptions& options = {}) {
    const JobId id = queue.enqueue(command, options);
    make(kDrain)->run();
    return info(id);
  }
  JobId add(const std::string& script, const EnqueueOptions& options = {}) {
    return queue.enqueue(marked.mark(shell(script)), options);
  }
  Worker& start(WorkerOptions options = {}) {
    options.commands = true;
    return Workshop::start(options);
  }

  Marked marked;  // what the commands leave running
};

BOOST_AUTO_TEST_SUITE(command_attempt)

BOOST_FIXTURE_TEST_CASE(a_command_that_ends_with_0_has_succeeded, Commands) {
  const JobInfo job = run(shell("true"));
  BOOST_TEST(job.state == State::succeeded);
  BOOST_TEST(job.exit_code.value() == 0);
  BOOST_TEST(job.error == "");
  BOOST_TEST(queue.result(job.id)->exit_code.value() == 0);
}

BOOST_FIXTURE_TEST_CASE(a_command_that_ends_with_anything_else_has_failed, Commands) {
  const JobInfo job = run(shell("exit 3"));
  BOOST_TEST(job.state == State::failed);
  BOOST_TEST(job.exit_code.value() == 3);
  BOOST_TEST(job.error == "exit status 3");
}

BOOST_FIXTURE_TEST_CASE(a_command_that_is_killed_has_128_and_the_signal, Commands) {
  const JobInfo job = run(shell("kill -USR1 $$"));
  BOOST_TEST(job.state == State::failed);
  BOOST_TEST(job.exit_code.value() == 128 + SIGUSR1);
  BOOST_TEST(job.error == "killed by SIGUSR1");
}

BOOST_FIXTURE_TEST_CASE(a_command_that_is_not_there_has_127, Commands) {
  for (const char* name : {"no-such-command", "/nowhere/at/all"}) {
    const JobInfo job = run({.argv = {name}, .env = {{"PATH", "/bin"}}, .cwd = "/"});
    BOOST_TEST(job.state == State::failed);
    BOOST_TEST(job.exit_code.value() == 127);
    BOOST_TEST(job.error.find(name) != std::string::npos, job.error);
  }
}

BOOST_FIXTURE_TEST_CASE(a_command_that_may_not_be_run_has_126, Commands) {
  std::ofstream(store.dir / "plain") << "text";
  const JobInfo job = run({.argv = {store.dir / "plain"}, .cwd = "/"});
  BOOST_TEST(job.state == State::failed);
  BOOST_TEST(job.exit_code.value() == 126);
  BOOST_TEST(job.error.find("Permission denied") != std::string::npos, job.error);
}

BOOST_FIXTURE_TEST_CASE(a_command_whose_directory_is_gone_says_so, Commands) {
  const JobInfo job = run({.argv = {"/bin/true"}, .cwd = store.dir / "gone"});
  BOOST_TEST(job.state == State::failed);
  BOOST_TEST(job.error.find(store.dir / "gone") != std::string::npos, job.error);
}

BOOST_FIXTURE_TEST_CASE(a_failed_command_is_retried_if_it_was_asked, Commands) {
  const std::string script = "test $TQ_ATTEMPT = 3";
  const JobInfo job = run(shell(script), {.max_retries = 2, .backoff = kNoWait});
  BOOST_TEST(job.state == State::succeeded);
  BOOST_TEST(job.attempt == 3u);
  BOOST_TEST(run(shell("false")).attempt == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_command_sees_its_job_in_tq_variables_and_nothing_of_the_worker, Commands) {
  ::setenv("OF_THE_WORKER", "1", 1);
  Command command{.argv = {"/usr/bin/env"}, .env = {{"MINE", "a b"}, {"EMPTY", ""}}, .cwd = "/"};
  const JobInfo job = run(command, {.queue = "images"});
  std::istringstream lines(output(job.id));
  std::set<std::string> seen;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("TQ_GUARD=")) seen.insert(line);
  }
  const std::set<std::string> expected = {"MINE=a b",     "EMPTY=",          "TQ_JOB_ID=" + std::to_string(job.id),
                                          "TQ_ATTEMPT=1", "TQ_QUEUE=images", "TQ_FILE=" + store.path()};
  BOOST_TEST(seen == expected, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(a_command_runs_in_its_directory, Commands) {
  const JobInfo job = run({.argv = {"/bin/pwd"}, .cwd = store.dir.path()});
  BOOST_TEST(output(job.id) == store.dir.path() + "\n");
}

BOOST_FIXTURE_TEST_CASE(arguments_come_through_as_they_are, Commands) {
  const JobInfo job = run({.argv = {"/usr/bin/printf", "%s|", "a b", "", "*", "$HOME", "\"'\n"}, .cwd = "/"});
  BOOST_TEST(output(job.id) == "a b||*|$HOME|\"'\n|");
  const std::string large(100'000, 'x');
  Command many = shell("echo $#; echo ${#1}");
  many.argv.insert(many.argv.end(), {"sh", large});
  for (int i = 0; i < 1000; ++i) many.argv.push_back(std::string(1000, 'y'));
  BOOST_TEST(output(run(many).id) == "1001\n100000\n");
}

BOOST_FIXTURE_TEST_CASE(standard_input_is_what_was_given_or_empty, Commands) {
  BOOST_TEST(output(run({.argv = {"/bin/cat"}, .cwd = "/"}).id) == "");
  std::string large(1 << 20, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * i);
  const JobInfo job = run({.argv = {"/bin/cat"}, .cwd = "/", .stdin_data = large});
  BOOST_TEST((output(job.id) == large));
}

BOOST_FIXTURE_TEST_CASE(a_command_that_does_not_read_its_input_is_none_the_worse, Commands) {
  const JobInfo job = run({.argv = {"/bin/true"}, .cwd = "/", .stdin_data = std::string(1 << 20, 'x')});
  BOOST_TEST(job.state == State::succeeded);
}

BOOST_FIXTURE_TEST_CASE(both_streams_are_kept_apart, Commands) {
  const JobInfo job = run(shell("echo out; echo err >&2"));
  BOOST_TEST(output(job.id, Stream::out) == "out\n");
  BOOST_TEST(output(job.id, Stream::err) == "err\n");
  BOOST_TEST(job.log_bytes == 8u);
}

BOOST_FIXTURE_TEST_CASE(output_is_seen_while_the_command_runs, Commands) {
  const JobId id = add("echo begun; exec sleep 1000");
  start();
  await_output(id, "begun\n");
  BOOST_TEST(info(id).state == State::running);
}

BOOST_FIXTURE_TEST_CASE(output_without_an_end_of_line_and_with_any_bytes_is_kept, Commands) {
  const JobInfo job = run(shell("printf 'a\\000b\\377'"));
  BOOST_TEST(output(job.id) == std::string("a\0b\xff", 4));
}

BOOST_AUTO_TEST_CASE(of_noisy_output_the_head_and_the_tail_are_kept) {
  Commands commands(OpenOptions{.log_bytes_per_job = 64 * 1024});
  const JobInfo job = commands.run(shell("seq 1 200000"));
  BOOST_TEST(job.state == State::succeeded);
  const std::uint64_t written = 1'288'895;  // of seq
  BOOST_TEST(job.log_bytes <= 64u * 1024);
  BOOST_TEST(job.log_bytes > 50u * 1024);
  BOOST_TEST(job.log_bytes + job.log_dropped_bytes == written);
  const std::string kept = commands.output(job.id);
  BOOST_TEST(kept.starts_with("1\n2\n3\n"));
  BOOST_TEST(kept.ends_with("\n199999\n200000\n"));
  const std::string gap = "[" + std::to_string(job.log_dropped_bytes) + " bytes of output dropped here]";
  BOOST_TEST(kept.find(gap) != kept.npos);
}

BOOST_FIXTURE_TEST_CASE(what_a_command_leaves_running_is_killed_with_its_end, Commands) {
  // In its group, in a session of its own, and with its output kept open.
  const JobId id = add("sleep 1000 & setsid sleep 1000 & setsid sh -c 'sleep 1000 & sleep 1000' >/dev/null & exit 0");
  make(kDrain)->run();
  BOOST_TEST(info(id).state == State::succeeded);
  BOOST_TEST(marked.running() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_command_that_takes_too_long_is_ended_with_all_it_started, Commands) {
  const JobId id = add("setsid sleep 1000 & sleep 1000", {.timeout = 30ms});
  make(kDrain)->run();
  BOOST_TEST(info(id).state == State::failed);
  BOOST_TEST(info(id).error == "timed out after 30ms (killed by SIGTERM)");
  BOOST_TEST(info(id).exit_code.value() == 128 + SIGTERM);
  BOOST_TEST(marked.running() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_command_that_ignores_term_is_killed_after_the_grace, Commands) {
  const JobId id = add("trap '' TERM; echo ready; while :; do sleep 1000; done");
  start({.kill_grace = 20ms});
  await_output(id, "ready\n");
  queue.cancel(id, "enough");
  const Result result = end(id);
  BOOST_TEST(result.state == State::cancelled);
  BOOST_TEST(result.error == "enough");
  BOOST_TEST(result.exit_code.value() == 128 + SIGKILL);
  BOOST_TEST(marked.running() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_command_gets_the_signal_that_was_asked_for, Commands) {
  const JobId id = add("trap 'echo interrupted; exit 0' INT; echo ready; while :; do sleep 0.01; done");
  start();
  await_output(id, "ready\n");
  queue.cancel(id, {}, SIGINT);
  BOOST_TEST(end(id).state == State::cancelled);  // it ended with 0, but because it was told to
  BOOST_TEST(output(id, Stream::out) == "ready\ninterrupted\n");
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_command_may_clean_up_within_the_grace, Commands) {
  const JobId id = add("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done");
  start();
  await_output(id, "ready\n");
  queue.cancel(id);
  BOOST_TEST(end(id).state == State::cancelled);
  BOOST_TEST(end(id).exit_code.value() == 7);
  BOOST_TEST(output(id, Stream::out) == "ready\nbye\n");
}

BOOST_FIXTURE_TEST_CASE(a_command_is_interrupted_when_its_worker_stops_and_runs_again, Commands) {
  const JobId id = add("echo begun; exec sleep 1000");
  Worker& worker = start();
  await_output(id, "begun\n");
  worker.stop(true);
  worker.join();
  BOOST_TEST(info(id).state == State::ready);
  BOOST_TEST(info(id).attempt == 0u);
  BOOST_TEST(history(id) == "enqueued started interrupted");
  BOOST_TEST(marked.running() == 0u);
}

BOOST_FIXTURE_TEST_CASE(many_commands_run_at_once, Commands) {
  constexpr int kCommands = 20;
  std::vector<JobId> jobs;
  // Each waits until all are there.
  const std::string script = "echo >>$D/all; until [ $(wc -l <$D/all) -ge 20 ]; do sleep 0.01; done";
  for (int i = 0; i < kCommands; ++i) {
    Command command = marked.mark(shell(script));
    command.env.emplace_back("D", store.dir.path());
    jobs.push_back(queue.enqueue(command));
  }
  start({.concurrency = kCommands});
  for (const JobId id : jobs) BOOST_TEST(end(id).state == State::succeeded);
}

BOOST_FIXTURE_TEST_CASE(commands_one_after_the_other_leak_no_descriptors, Commands) {
  const auto open_files = [] { return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}); };
  Worker& worker = start({.concurrency = 4});
  end(add("true"));
  const auto before = open_files();
  std::vector<JobId> jobs;
  for (int i = 0; i < 100; ++i) jobs.push_back(add("echo x"));
  for (const JobId id : jobs) end(id);
  worker.stop();
  worker.join();
  BOOST_TEST(open_files() <= before);
}

BOOST_FIXTURE_TEST_CASE(a_worker_without_commands_leaves_them_to_others, Commands) {
  const JobId id = add("true");
  make({.drain = true})->run();
  BOOST_TEST(info(id).state == State::ready);
}

BOOST_AUTO_TEST_CASE(a_command_of_a_store_in_memory_has_no_file_to_name) {
  test::MemoryStore store;
  const JobId id = store.queue.enqueue(shell("echo \"<$TQ_FILE>\""));
  Worker(store.queue, kDrain).run();
  BOOST_TEST(store.queue.log(id).at(0).bytes == "<>\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
