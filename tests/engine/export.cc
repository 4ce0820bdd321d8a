#include "engine/export.hpp"

#include "full_world.hpp"
#include "store/damage.hpp"
#include "support/message_of.hpp"

#include <map>
#include <string>
#include <vector>

namespace tq::engine {
namespace {

std::vector<Record> exported(const store::Transaction& txn, const store::Progress& progress = {}) {
  std::vector<Record> records;
  const std::uint64_t count = export_records(
      txn, [&](const Record& record) { records.push_back(record); }, progress);
  BOOST_TEST(count == records.size());
  return records;
}

// "job id=1 state=ready ..."
std::string text(const Record& record) {
  struct Print {
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(std::uint64_t value) const { return std::to_string(value); }
    std::string operator()(const std::string& value) const { return "'" + value + "'"; }
    std::string operator()(const std::vector<std::string>& values) const {
      std::string list;
      for (const std::string& value : values) list += (list.empty() ? "" : ",") + value;
      return "[" + list + "]";
    }
  };
  std::string line = record.kind;
  for (const auto& [name, value] : record.fields) line += " " + name + "=" + std::visit(Print{}, value);
  return line;
}

template <class T>
T field(const Record& record, std::string_view name) {
  for (const auto& [known, value] : record.fields) {
    if (known == name) return std::get<T>(value);
  }
  BOOST_ERROR("there is no " << name);
  return {};
}
bool has(const Record& record, std::string_view name) {
  return std::any_of(record.fields.begin(), record.fields.end(), [&](const auto& f) { return f.first == name; });
}

Record job_of(const std::vector<Record>& records, JobId id) {
  for (const Record& record : records) {
    if (record.kind == "job" && field<std::uint64_t>(record, "id") == id) return record;
  }
  BOOST_ERROR("there is no job " << id);
  return {};
}

struct ExportWorld : FullWorld {};

BOOST_AUTO_TEST_SUITE(export_)

BOOST_AUTO_TEST_CASE(the_names_and_values_of_a_small_store_are_these) {
  World world;
  world.add({.queue = "mail", .priority = -5, .labels = {"a", "b"}}, "work", "hello");
  const std::vector<Record> records = exported(world.read());
  BOOST_TEST_REQUIRE(records.size() == 7u);
  BOOST_TEST(text(records[0]).starts_with("store format=1 uuid='"));
  BOOST_TEST(field<std::string>(records[0], "uuid").size() == 32u);
  BOOST_TEST(text(records[0]).ends_with("' next_job=2 next_event=3 next_worker=1 next_queue=2 next_task=2 enqueued=1"));
  BOOST_TEST(text(records[1]) == "queue number=1 name='mail'");
  BOOST_TEST(text(records[2]) == "task number=1 name='work'");
  BOOST_TEST(text(records[3]) ==
             "job id=1 state='ready' queue='mail' task='work' priority=-5 max_retries=3 last_event=2 "
             "enqueued_ms=1767225600000 due_ms=1767225600000 result_ttl_ms=-1 backoff='exp' backoff_base_ms=1000 "
             "backoff_cap_ms=3600000 backoff_jitter_permille=100 log_next=1 labels=[a,b] codec='raw' payload='hello' "
             "result_codec='raw'");
  BOOST_TEST(text(records[4]) == "event seq=1 queue='mail' time_ms=1767225600000 type='queue_created'");
  BOOST_TEST(text(records[5]) == "event seq=2 queue='mail' time_ms=1767225600000 type='enqueued' job=1");
  BOOST_TEST(text(records[6]) == "end records=6");
}

BOOST_AUTO_TEST_CASE(an_empty_store_has_a_beginning_and_an_end) {
  const World world;
  const std::vector<Record> records = exported(world.read());
  BOOST_TEST_REQUIRE(records.size() == 2u);
  BOOST_TEST(records[0].kind == "store");
  BOOST_TEST(text(records[1]) == "end records=1");
}

BOOST_FIXTURE_TEST_CASE(the_kinds_come_in_their_order, ExportWorld) {
  std::string kinds;
  std::map<std::string, std::size_t> counts;
  for (const Record& record : exported(read())) {
    if (++counts[record.kind] == 1) kinds += record.kind + " ";
  }
  BOOST_TEST(kinds == "store queue task worker job output event end ");
  BOOST_TEST(counts["job"] == list({.limit = 1000}).size());
  BOOST_TEST(counts["event"] == stats().last_event);
}

BOOST_FIXTURE_TEST_CASE(bytes_of_any_kind_and_size_are_in_the_record_of_their_job, ExportWorld) {
  const auto records = exported(read());
  BOOST_TEST((field<std::string>(job_of(records, 1), "payload") == std::string("\xff\0\xfe", 3)));
  BOOST_TEST((field<std::string>(job_of(records, 4), "payload") == std::string(10'000, 'p')));
  BOOST_TEST((field<std::string>(job_of(records, 4), "saved") == std::string(5'000, 's')));
  BOOST_TEST((field<std::string>(job_of(records, 8), "payload") == std::string(100'000, 'P')));
  BOOST_TEST((field<std::string>(job_of(records, 8), "saved") == std::string(70'000, 'S')));
  BOOST_TEST((field<std::string>(job_of(records, 8), "result") == std::string(200'000, 'R')));
  BOOST_TEST(!has(job_of(records, 2), "payload"));
  BOOST_TEST(!has(job_of(records, 2), "saved"));
  BOOST_TEST(field<std::string>(job_of(records, 6), "result_codec") == "json");
  BOOST_TEST(field<std::int64_t>(job_of(records, 6), "exit_code") == -1);
  BOOST_TEST(!has(job_of(records, 6), "result_ttl_ms"));  // none: not even a moment
  BOOST_TEST(field<std::string>(job_of(records, 13), "codec") == "command");
}

BOOST_FIXTURE_TEST_CASE(of_a_worker_there_is_nothing_by_which_a_process_could_be_found, ExportWorld) {
  for (const Record& record : exported(read())) {
    if (record.kind != "worker") continue;
    BOOST_TEST(text(record) ==
               "worker id=1 host='somewhere' started_ms=5 concurrency=4 max_crashes=3 queues=[default,other] "
               "tasks=[work,play]");
  }
}

BOOST_FIXTURE_TEST_CASE(damage_is_told, ExportWorld) {
  store::WriteTransaction txn = environment->write();
  store::rot(txn, JobKey{5});
  const std::string message = test::message_of<Damaged>([&] { exported(txn); });
  BOOST_TEST(message.find("of job 5") != message.npos);
}

BOOST_FIXTURE_TEST_CASE(a_large_payload_that_is_removed_meanwhile_is_a_conflict, ExportWorld) {
  const store::ReadTransaction state = read();
  remove(8);
  const std::string message = test::message_of<Conflict>([&] { exported(state); });
  BOOST_TEST(message == "job 8 was removed while it was exported: export again");
}

BOOST_AUTO_TEST_CASE(progress_is_told_and_comes_to_its_end) {
  World world;
  world.add_many(1500);
  std::vector<std::uint64_t> told;
  std::uint64_t most = 0;
  exported(world.read(), [&](std::uint64_t done, std::uint64_t all) {
    told.push_back(done);
    most = all;
  });
  BOOST_TEST(told.size() == 4u);
  BOOST_TEST(std::is_sorted(told.begin(), told.end()));
  BOOST_TEST(told.back() == most);
  BOOST_TEST(most == 3001u);  // jobs, and events with that of the queue
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
