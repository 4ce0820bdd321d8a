#include "queue/hand.hpp"
#include "queue/stores.hpp"
#include "support/message_of.hpp"
#include "support/random.hpp"

#include <tq/typed.hpp>

namespace tq {
namespace {

using test::FileStore;
using test::ids;
using test::message_of;
using test::Stores;
using namespace std::chrono_literals;

// Every size at which something else is done with the bytes, and its neighbours.
const std::vector<std::size_t> kSizes = {0,    1,    1023, 1024, 1025,  1999,  2000,  2001,
                                         4075, 4076, 4077, 8152, 65535, 65536, 65537, 1 << 20};

BOOST_AUTO_TEST_SUITE(add)

BOOST_AUTO_TEST_CASE_TEMPLATE(an_enqueued_job_has_a_new_id_and_is_ready, Store, Stores) {
  Store store;
  const JobId first = store.queue.enqueue("work", {});
  const JobId second = store.queue.enqueue("work", {});
  BOOST_TEST(first != 0u);
  BOOST_TEST(second == first + 1);
  const auto info = store.queue.get(second);
  BOOST_REQUIRE(info);
  BOOST_TEST(info->id == second);
  BOOST_TEST(info->state == State::ready);
  BOOST_TEST(info->queue == kDefaultQueue);
  BOOST_TEST(info->task == "work");
  BOOST_TEST(info->attempt == 0u);
  BOOST_TEST(info->error == "");
  BOOST_CHECK(info->enqueued == info->due);
  BOOST_CHECK(!info->started && !info->finished && !info->expires && !info->exit_code);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_payload_comes_back_byte_for_byte, Store, Stores) {
  Store store;
  test::Random random;
  std::vector<std::pair<JobId, Payload>> added;
  for (const std::size_t size : kSizes) {
    Payload payload{"my-codec", std::string(size, '\0')};
    for (char& byte : payload.bytes) byte = static_cast<char>(random.below(256));
    if (size > 2) payload.bytes[1] = '\0';
    added.emplace_back(store.queue.enqueue("work", payload), payload);
  }
  for (const auto& [id, payload] : added) {
    BOOST_TEST_CONTEXT(payload.bytes.size() << " bytes") {
      BOOST_CHECK(store.queue.payload(id) == payload);
      BOOST_TEST(store.queue.get(id)->payload_bytes == payload.bytes.size());
      BOOST_TEST(store.queue.get(id)->codec == "my-codec");
    }
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_command_comes_back_as_it_was_given, Store, Stores) {
  Store store;
  Command command;
  command.argv = {"sh", "-c", "echo $A", ""};
  command.env = {{"A", "1=2"}, {"EMPTY", ""}, {"PATH", "/bin"}};
  command.cwd = "/tmp";
  command.stdin_data = std::string("a\0b", 3);
  const JobId id = store.queue.enqueue(command);
  BOOST_CHECK(store.queue.command(id) == command);
  BOOST_TEST(store.queue.get(id)->task == kExecTask);
  BOOST_TEST(store.queue.get(id)->codec == "command");
}

BOOST_AUTO_TEST_CASE(a_command_has_no_retries_and_a_task_has_three_unless_asked) {
  FileStore store;
  TaskQueue& queue = store.queue;
  const Command command{.argv = {"true"}, .cwd = "/"};
  BOOST_TEST(queue.get(queue.enqueue(command))->max_retries == 0u);
  BOOST_TEST(queue.get(queue.enqueue(command, {.max_retries = 2}))->max_retries == 2u);
  BOOST_TEST(queue.get(queue.enqueue("work", {}))->max_retries == 3u);
  BOOST_TEST(queue.get(queue.enqueue("work", {}, {.max_retries = 0}))->max_retries == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(options_are_kept, Store, Stores) {
  Store store;
  EnqueueOptions options;
  options.queue = "images";
  options.priority = -7;
  options.delay = 1h;
  options.max_retries = 9;
  options.backoff = {.kind = Backoff::Kind::constant, .base = 3s, .cap = 4s, .jitter = 0.25};
  options.timeout = 90s;
  options.expires_in = 2h;
  options.result_ttl = 5min;
  options.labels = {"red", "gr\u00fcn"};
  const JobInfo info = store.queue.get(store.queue.enqueue("work", {}, options)).value();
  BOOST_TEST(info.state == State::scheduled);
  BOOST_TEST(info.queue == "images");
  BOOST_TEST(info.priority == -7);
  BOOST_CHECK(info.due == info.enqueued + 1h);
  BOOST_TEST(info.max_retries == 9u);
  BOOST_CHECK(info.backoff == options.backoff);
  BOOST_CHECK(info.timeout == 90s);
  BOOST_CHECK(info.expires == info.enqueued + 2h);
  BOOST_CHECK(info.result_ttl == Duration(5min));
  BOOST_CHECK(info.labels == options.labels);
}

BOOST_AUTO_TEST_CASE(a_time_that_has_passed_is_now) {
  FileStore store;
  const JobInfo info = store.queue.get(store.queue.enqueue("work", {}, {.at = Time{}})).value();
  BOOST_TEST(info.state == State::ready);
  BOOST_CHECK(info.due == info.enqueued);
}

struct Greeting {
  static constexpr std::string_view kTask = "greet";
  std::string name;
  int times = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(name), CEREAL_NVP(times));
  }
};

BOOST_AUTO_TEST_CASE(a_typed_job_carries_its_task_and_its_value) {
  FileStore store;
  const JobId id = store.queue.enqueue(Greeting{"Ada", 3}, {.priority = 1});
  BOOST_TEST(store.queue.get(id)->task == "greet");
  BOOST_TEST(store.queue.get(id)->priority == 1);
  const auto back = decode<Greeting>(store.queue.payload(id).value());
  BOOST_TEST(back.name == "Ada");
  BOOST_TEST(back.times == 3);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(many_jobs_get_consecutive_ids_in_the_order_given, Store, Stores) {
  Store store;
  store.queue.enqueue("work", {});
  std::vector<JobSpec> specs;
  for (const std::size_t size : kSizes) specs.push_back({"work", {"raw", std::string(size, 'x')}, {}});
  specs.push_back({"other", {}, {.queue = "elsewhere"}});
  const std::vector<JobId> added = store.queue.enqueue_many(specs);
  BOOST_REQUIRE(added.size() == specs.size());
  for (std::size_t i = 0; i < added.size(); ++i) {
    BOOST_TEST(added[i] == added[0] + i);
    BOOST_TEST(store.queue.payload(added[i])->bytes.size() == specs[i].payload.bytes.size());
  }
  BOOST_TEST(store.queue.get(added.back())->queue == "elsewhere");
  BOOST_TEST(store.queue.stats().enqueued == specs.size() + 1);
}

BOOST_AUTO_TEST_CASE(no_jobs_are_no_change) {
  FileStore store;
  const EventSeq before = store.queue.stats().last_event;
  BOOST_TEST(store.queue.enqueue_many({}).empty());
  BOOST_TEST(store.queue.stats().last_event == before);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_many_jobs_none_is_added_if_one_is_wrong, Store, Stores) {
  Store store;
  const std::vector<JobSpec> specs = {{"work", {}, {.queue = "new"}}, {"", {}, {}}};
  BOOST_CHECK_THROW(store.queue.enqueue_many(specs), InvalidArgument);
  BOOST_TEST(store.queue.list().empty());
  BOOST_CHECK(!store.queue.queue("new"));
  BOOST_TEST(store.queue.stats().last_event == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(of_many_jobs_none_is_added_if_they_do_not_fit, Store, Stores) {
  Store store;
  store.queue.configure("small", {.max_size = 2});
  const EventSeq before = store.queue.stats().last_event;
  const std::vector<JobSpec> specs(3, {"work", {"raw", std::string(100'000, 'x')}, {.queue = "small"}});
  BOOST_CHECK_THROW(store.queue.enqueue_many(specs), QueueFull);
  BOOST_TEST(store.queue.list().empty());
  BOOST_TEST(store.queue.stats().last_event == before);
  BOOST_TEST(store.queue.enqueue_many(std::span(specs).first(2)).size() == 2u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_full_queue_refuses_and_names_itself_and_its_size, Store, Stores) {
  Store store;
  TaskQueue& queue = store.queue;
  queue.configure("small", {.max_size = 2});
  queue.enqueue("work", {}, {.queue = "small"});
  queue.enqueue("work", {}, {.queue = "small", .delay = 1h});
  const std::string message = message_of<QueueFull>([&] { queue.enqueue("work", {}, {.queue = "small"}); });
  BOOST_TEST(message == "queue 'small' is full: it has 2 of at most 2 jobs");
  BOOST_TEST(queue.list().size() == 2u);
  queue.enqueue("work", {});  // another queue is not concerned
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_full_queue_takes_jobs_again_when_one_is_over, Store, Stores) {
  Store store;
  TaskQueue& queue = store.queue;
  test::Hand worker(queue);
  queue.configure("small", {.max_size = 1});
  queue.enqueue("work", {}, {.queue = "small"});
  const auto claimed = worker.claim();
  BOOST_CHECK_THROW(queue.enqueue("work", {}, {.queue = "small"}), QueueFull);  // it runs: it is not over
  worker.succeed(claimed);
  queue.enqueue("work", {}, {.queue = "small"});
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_store_at_its_quota_refuses_and_goes_on_when_there_is_room, Store, Stores) {
  Store store(OpenOptions{.quota_bytes = 512 * 1024});
  TaskQueue& queue = store.queue;
  const Payload payload{"raw", std::string(60'000, 'x')};
  std::vector<JobId> added;
  std::string message;
  for (int i = 0; i < 100 && message.empty(); ++i) {
    try {
      added.push_back(queue.enqueue("work", payload));
    } catch (const QueueFull& error) {
      message = error.what();
    }
  }
  BOOST_TEST(message.find("quota") != message.npos, message);
  BOOST_TEST(added.size() > 3u);
  BOOST_TEST(added.size() < 20u);
  for (const JobId id : added) {
    BOOST_TEST(queue.payload(id)->bytes.size() == payload.bytes.size());
    queue.cancel(id);
    queue.remove(id);
  }
  queue.enqueue("work", payload);
}

BOOST_AUTO_TEST_CASE(a_payload_over_the_limit_is_refused) {
  FileStore store({.max_blob_bytes = 1000});
  store.queue.enqueue("work", {"raw", std::string(1000, 'x')});
  const std::string message = message_of<InvalidArgument>([&] {
    store.queue.enqueue("work", {"raw", std::string(1001, 'x')});
  });
  BOOST_TEST(message.find("1001") != message.npos, message);
  BOOST_TEST(message.find("1000") != message.npos, message);
  const Command command{.argv = {"cat"}, .cwd = "/", .stdin_data = std::string(1001, 'x')};
  BOOST_CHECK_THROW(store.queue.enqueue(command), InvalidArgument);
  BOOST_TEST(store.queue.list().size() == 1u);
}

BOOST_AUTO_TEST_CASE(bad_input_is_refused_by_name_and_changes_nothing) {
  FileStore store;
  TaskQueue& queue = store.queue;
  const std::string long_name(kMaxNameBytes + 1, 'n');
  const std::vector<std::pair<std::string, EnqueueOptions>> wrong = {
      {"queue", {.queue = ""}},
      {"queue", {.queue = long_name}},
      {"queue", {.queue = "a\nb"}},
      {"delay", {.delay = -1ms}},
      {"delay", {.delay = kMaxDuration + 1ms}},
      {"at", {.delay = 1s, .at = Time{}}},
      {"at", {.at = Time::max()}},
      {"timeout", {.timeout = -1ms}},
      {"backoff", {.backoff = {.base = -1ms}}},
      {"cap", {.backoff = {.base = 2s, .cap = 1s}}},
      {"jitter", {.backoff = {.jitter = 1.5}}},
      {"jitter", {.backoff = {.jitter = std::numeric_limits<double>::quiet_NaN()}}},
      {"expires", {.expires_in = 0ms}},
      {"expires", {.expires_in = 1s, .expires_at = Time::max()}},
      {"expires", {.expires_at = Time{}}},
      {"result-ttl", {.result_ttl = -1ms}},
      {"label", {.labels = {"a,b"}}},
      {"label", {.labels = std::vector<std::string>(33, "x")}},
  };
  for (const auto& [word, options] : wrong) {
    const std::string message = message_of<InvalidArgument>([&] { queue.enqueue("work", {}, options); });
    BOOST_TEST(message.find(word) != message.npos, "'" << message << "' does not name " << word);
  }
  BOOST_TEST(message_of<InvalidArgument>([&] { queue.enqueue(long_name, {}); }).find("task") != std::string::npos);
  BOOST_TEST(message_of<InvalidArgument>([&] { queue.enqueue("work", {"", ""}); }).find("codec") != std::string::npos);
  BOOST_CHECK_THROW(queue.enqueue(kExecTask, {"raw", "no command"}), InvalidArgument);
  BOOST_TEST(queue.list().empty());
  BOOST_TEST(queue.queues().empty());
  BOOST_TEST(queue.stats().last_event == 0u);
}

BOOST_AUTO_TEST_CASE(a_command_that_cannot_be_run_by_anybody_is_refused) {
  FileStore store;
  using Env = std::vector<std::pair<std::string, std::string>>;
  const std::vector<Command> wrong = {
      {.argv = {}, .cwd = "/"},
      {.argv = {""}, .cwd = "/"},
      {.argv = {"true"}, .cwd = ""},
      {.argv = {"true"}, .cwd = "relative"},
      {.argv = {std::string("a\0b", 3)}, .cwd = "/"},
      {.argv = {"true"}, .env = Env{{"", "x"}}, .cwd = "/"},
      {.argv = {"true"}, .env = Env{{"A=B", "x"}}, .cwd = "/"},
      {.argv = {"true"}, .env = Env{{"A", std::string("\0", 1)}}, .cwd = "/"},
      {.argv = {"true", std::string(kMaxCommandBytes, 'x')}, .cwd = "/"},
  };
  for (const Command& command : wrong) BOOST_CHECK_THROW(store.queue.enqueue(command), InvalidArgument);
  BOOST_TEST(store.queue.list().empty());
}

BOOST_AUTO_TEST_CASE(an_added_job_is_there_when_the_store_is_opened_again) {
  test::TempDir dir;
  const Payload small{"raw", "abc"};
  const Payload large{"raw", std::string(200'000, 'l')};
  JobId first = 0;
  {
    TaskQueue queue(dir / "jobs.tq");
    first = queue.enqueue("work", small);
    queue.enqueue("work", large);
  }
  TaskQueue queue(dir / "jobs.tq");
  BOOST_CHECK(queue.payload(first) == small);
  BOOST_CHECK(queue.payload(first + 1) == large);
  BOOST_TEST(queue.enqueue("work", {}) == first + 2);
  test::check_clean(queue);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
