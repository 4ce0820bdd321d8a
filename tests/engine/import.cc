#include "engine/export.hpp"

#include "full_world.hpp"
#include "store/making.hpp"
#include "support/message_of.hpp"

#include <functional>
#include <string>
#include <vector>

namespace tq::engine {
namespace {

using Records = std::vector<Record>;

Records exported(const World& world) {
  Records records;
  export_records(world.read(), [&](const Record& record) { records.push_back(record); }, {});
  return records;
}

std::uint64_t import_to(const std::string& path, const Records& records) {
  std::size_t at = 0;
  std::uint64_t count = 0;
  store::make_store(path, [&](store::Environment& made) {
    count = import_records(made, [&] { return at < records.size() ? std::optional(records[at++]) : std::nullopt; });
  });
  return count;
}

void put_field(Record& record, const std::string& name, Record::Value value) {
  for (auto& field : record.fields) {
    if (field.first == name) return void(field.second = std::move(value));
  }
  record.fields.emplace_back(name, std::move(value));
}
void drop(Record& record, std::string_view name) {
  std::erase_if(record.fields, [&](const auto& field) { return field.first == name; });
}
bool is_of(const Record& record, const std::string& kind, const std::string& field, std::uint64_t number) {
  if (record.kind != kind) return false;
  for (const auto& [name, value] : record.fields) {
    if (name == field) return value == Record::Value(number);
  }
  return false;
}

struct ImportWorld : FullWorld {
  const std::string to = dir / "imported.tq";
  const Records records = exported(*this);

  Record& job(Records& all, JobId id) const {
    for (Record& record : all) {
      if (is_of(record, "job", "id", id)) return record;
    }
    throw std::runtime_error("there is no such job");
  }
  static std::size_t first(const Records& all, const std::string& kind) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].kind == kind) return i;
    }
    throw std::runtime_error("there is none of that kind");
  }
  // What is said of the records after the edit; nothing may be left of them.
  std::string refusal(const std::function<void(Records&)>& edit, bool counts_right = true) const {
    Records edited = records;
    edit(edited);
    if (counts_right && !edited.empty() && edited.back().kind == "end") {
      put_field(edited.back(), "records", std::uint64_t{edited.size() - 1});
    }
    const std::string said = test::message_of<InvalidArgument>([&] { import_to(to, edited); });
    BOOST_TEST(!std::filesystem::exists(to));
    BOOST_TEST(!std::filesystem::exists(to + "-new"));
    return said;
  }
  std::string refusal_of_job(JobId id, const std::function<void(Record&)>& edit) const {
    return refusal([&](Records& all) { edit(job(all, id)); });
  }
  std::string refusal_of(const std::string& kind, const std::function<void(Record&)>& edit) const {
    return refusal([&](Records& all) { edit(all[first(all, kind)]); });
  }
};

BOOST_FIXTURE_TEST_SUITE(import_, ImportWorld)

BOOST_AUTO_TEST_CASE(what_was_exported_is_the_same_when_it_is_imported) {
  BOOST_TEST(import_to(to, records) == records.size());
  World imported(to);
  check_same(*this, imported);
  BOOST_TEST((imported.environment->uuid() == environment->uuid()));
  BOOST_TEST((exported(imported) == records));
  BOOST_TEST(imported.add() == stats().enqueued + 1);
}

BOOST_AUTO_TEST_CASE(what_runs_is_ready_once_its_worker_is_rescued) {
  import_to(to, records);
  World imported(to);
  BOOST_TEST(worker_record(imported.read(), w)->pid == 0);
  BOOST_TEST(imported.rescue(w) == 3u);
  BOOST_TEST(imported.state(4) == State::ready);
  BOOST_TEST(imported.info(4).crashes == 0u);
}

BOOST_AUTO_TEST_CASE(random_stores_are_the_same_when_they_are_imported) {
  test::Random random;
  for (int round = 0; round < 4; ++round) {
    RandomWorld world;
    world.run(random, 300);
    const std::string path = world.dir / "imported.tq";
    import_to(path, exported(world));
    check_same(world, World(path));
  }
}

BOOST_AUTO_TEST_CASE(a_store_may_be_put_together_by_hand) {
  const std::string uuid(32, 'a');
  const Records few = {{"store", {{"format", std::uint64_t{1}}, {"uuid", uuid}}},
                       {"queue", {{"number", std::uint64_t{7}}, {"name", std::string("mail")}}},
                       {"task", {{"number", std::uint64_t{3}}, {"name", std::string("work")}}},
                       {"job",
                        {{"id", std::uint64_t{5}},
                         {"state", std::string("ready")},
                         {"queue", std::string("mail")},
                         {"task", std::string("work")},
                         {"backoff", std::string("const")},
                         {"log_next", std::uint64_t{1}},
                         {"codec", std::string("json")},
                         {"payload", std::string("{}")}}},
                       {"end", {{"records", std::uint64_t{4}}}}};
  import_to(to, few);
  World imported(to);
  BOOST_TEST(imported.info(5).queue == "mail");
  BOOST_TEST(imported.info(5).codec == "json");
  BOOST_TEST((imported.info(5).backoff.kind == Backoff::Kind::constant));
  BOOST_TEST(imported.payload(5) == "{}");
  BOOST_TEST(imported.stats().enqueued == 1u);
  BOOST_TEST(imported.add({.queue = "mail"}) == 6u);
  BOOST_TEST(imported.add({.queue = "other"}) == 7u);
}

BOOST_AUTO_TEST_CASE(an_end_that_is_missing_is_refused) {
  const std::string cut_off = "the export is cut off: it does not end with a record 'end'";
  BOOST_TEST(refusal([](Records& all) { all.pop_back(); }) == cut_off);
  BOOST_TEST(refusal([](Records& all) { all.clear(); }) == cut_off);
  BOOST_TEST(refusal([](Records& all) { all.resize(1); }) == cut_off);
}

BOOST_AUTO_TEST_CASE(records_in_a_place_where_they_do_not_belong_are_refused) {
  BOOST_TEST(refusal([](Records& all) { all.erase(all.begin()); }) ==
             "this is no export of a store: it does not begin with a record 'store'");
  BOOST_TEST(refusal([](Records& all) { all.insert(all.begin() + 3, all.front()); }) ==
             "there is a second record 'store'");
  BOOST_TEST(refusal([](Records& all) { all.push_back(all[1]); }, false) ==
             "there is a record behind the record 'end'");
  BOOST_TEST(
      refusal([](Records& all) { all.erase(all.end() - 2); }, false).starts_with("the export says that it has "));
  BOOST_TEST(refusal([](Records& all) { std::swap(all[first(all, "job")], all[first(all, "job") + 1]); }) ==
             "job 1 is not above 2, which is before it");
  BOOST_TEST(refusal([](Records& all) { std::swap(all[first(all, "event")], all[first(all, "event") + 1]); }) ==
             "event 1 is not above 2, which is before it");
  BOOST_TEST(refusal([](Records& all) { std::swap(all[first(all, "output")], all[first(all, "output") + 1]); }) ==
             "piece 1 of the output of job 4 is out of order");
  BOOST_TEST(refusal([](Records& all) { all.insert(all.begin() + 2, all[1]); }) ==
             "queue 'default' is there twice, or has no number");
  BOOST_TEST(refusal([](Records& all) {
               const auto task = static_cast<std::ptrdiff_t>(first(all, "task"));
               all.insert(all.begin() + task, all[first(all, "task")]);
             }) == "task 'work' is there twice, or has no number");
  BOOST_TEST(refusal([](Records& all) {
               const auto worker = static_cast<std::ptrdiff_t>(first(all, "worker"));
               all.insert(all.begin() + worker, all[first(all, "worker")]);
             }) == "worker 1 is not above 1, which is before it");
}

BOOST_AUTO_TEST_CASE(what_nobody_knows_is_refused) {
  BOOST_TEST(refusal_of("task", [](Record& record) { record.kind = "plan"; }) == "there is no kind of record 'plan'");
  for (const std::string kind : {"store", "queue", "task", "worker", "job", "output", "event", "end"}) {
    BOOST_TEST(refusal_of(kind, [](Record& record) { put_field(record, "colour", true); }) ==
               "a " + kind + " has no 'colour'");
  }
  BOOST_TEST(refusal_of_job(1, [](Record& job) { put_field(job, "state", std::string("asleep")); }) ==
             "there is no state 'asleep'");
  BOOST_TEST(refusal_of_job(1, [](Record& job) { drop(job, "state"); }) == "there is no state ''");
  BOOST_TEST(refusal_of_job(1, [](Record& job) { put_field(job, "backoff", std::string("slow")); }) ==
             "there is no backoff 'slow': it is const or exp");
  BOOST_TEST(refusal_of("output", [](Record& piece) { put_field(piece, "stream", std::string("film")); }) ==
             "there is no stream 'film'");
  BOOST_TEST(refusal_of("event", [](Record& event) { put_field(event, "type", std::string("rain")); }) ==
             "there is no type of event 'rain'");
  BOOST_TEST(refusal_of_job(1, [](Record& job) { put_field(job, "queue", std::string("moon")); }) ==
             "there is no queue 'moon' before this");
  BOOST_TEST(refusal_of_job(1, [](Record& job) { put_field(job, "task", std::string("moon")); }) ==
             "there is no task 'moon' before this");
  BOOST_TEST(refusal_of("event", [](Record& event) { put_field(event, "queue", std::string("moon")); }) ==
             "there is no queue 'moon' before this");
}

BOOST_AUTO_TEST_CASE(a_value_of_the_wrong_type_or_out_of_range_is_refused) {
  BOOST_TEST(refusal_of_job(1, [](Record& job) { put_field(job, "payload", true); }) ==
             "'payload' of a job is of the wrong type");
  BOOST_TEST(refusal_of_job(1, [](Record& job) { put_field(job, "labels", std::string("a")); }) ==
             "'labels' of a job is of the wrong type");
  BOOST_TEST(refusal_of_job(1, [](Record& job) { put_field(job, "state", std::uint64_t{3}); }) ==
             "'state' of a job is of the wrong type");
  BOOST_TEST(refusal_of_job(1, [](Record& job) { put_field(job, "ahead", std::uint64_t{1}); }) ==
             "'ahead' of a job is of the wrong type");
  BOOST_TEST(refusal_of("queue", [](Record& queue) { put_field(queue, "paused", std::string("yes")); }) ==
             "'paused' of a queue is of the wrong type");
  const std::string no_priority = "'priority' of a job is no number from -2147483648 to 2147483647";
  BOOST_TEST(refusal_of_job(1, [](Record& job) { put_field(job, "priority", std::uint64_t{1} << 31); }) == no_priority);
  BOOST_TEST(refusal_of_job(1, [](Record& job) { put_field(job, "priority", std::string("1")); }) == no_priority);
  BOOST_TEST(refusal_of_job(1, [](Record& job) { put_field(job, "priority", true); }) == no_priority);
  BOOST_TEST(refusal_of_job(1, [](Record& job) { put_field(job, "run", std::int64_t{-1}); }) ==
             "'run' of a job is no number from 0 to 4294967295");
  BOOST_TEST(refusal_of("store", [](Record& store) { put_field(store, "uuid", std::string("abc")); }) ==
             "'uuid' of a store is not 32 hexadecimal digits");
  BOOST_TEST(refusal_of("store", [](Record& store) { put_field(store, "uuid", std::string(32, 'x')); }) ==
             "'uuid' of a store is not 32 hexadecimal digits");
  BOOST_TEST(refusal_of("store", [](Record& store) { put_field(store, "format", std::uint64_t{2}); }) ==
             "the export is of version 2, and this tq knows up to 1");
  BOOST_TEST(
      refusal_of("queue", [](Record& queue) { put_field(queue, "number", std::uint64_t{0}); }).starts_with("queue '"));
  BOOST_TEST(!refusal_of("queue", [](Record& queue) { put_field(queue, "name", std::string("a\nb")); }).empty());
  BOOST_TEST(!refusal_of("task", [](Record& task) { put_field(task, "name", std::string()); }).empty());
  BOOST_TEST(refusal_of_job(1, [](Record& job) { put_field(job, "id", std::uint64_t{0}); }) ==
             "job 0 is not above 0, which is before it");
}

BOOST_AUTO_TEST_CASE(records_that_contradict_each_other_are_refused) {
  const std::string prefix = "the export does not hold together: ";
  const auto without = [&](const std::string& kind, const std::string& field, std::uint64_t number) {
    return refusal([&](Records& all) {
      std::erase_if(all, [&](const Record& record) { return is_of(record, kind, field, number); });
    });
  };
  BOOST_TEST(without("worker", "id", 1) == prefix + "job 4 runs on worker 1, which is not registered");
  BOOST_TEST(without("event", "seq", 9) == prefix + "the events between 8 and 10 are missing");
  BOOST_TEST(without("job", "id", 4) == prefix + "there is output of job 4, which does not exist");
  BOOST_TEST(without("output", "job", 4) == prefix + "job 4 has lost its output");
  BOOST_TEST(refusal_of_job(4, [](Record& job) { put_field(job, "log_bytes", std::uint64_t{3}); }).starts_with(prefix));
  BOOST_TEST(refusal_of_job(1, [](Record& job) { put_field(job, "cancel_requested", true); }) ==
             prefix + "job 1 does not run but is asked to stop");
  BOOST_TEST(refusal_of_job(7, [](Record& job) { drop(job, "finished_ms"); }) ==
             prefix + "job 7 is over but has no time of its end");
  BOOST_TEST(refusal_of_job(7, [](Record& job) { put_field(job, "state", std::string("failed")); }) ==
             prefix + "job 7 is failed but has a result");
  BOOST_TEST(
      refusal_of_job(1, [](Record& job) { put_field(job, "last_event", std::uint64_t{100'000}); }).starts_with(prefix));
  BOOST_TEST(refusal_of_job(1, [](Record& job) { put_field(job, "last_event", UINT64_MAX); }).starts_with(prefix));
  BOOST_TEST(refusal_of_job(19, [](Record& job) { put_field(job, "id", UINT64_MAX); }).starts_with(prefix));
  BOOST_TEST(
      refusal_of("event", [](Record& event) { put_field(event, "previous", std::uint64_t{1}); }).starts_with(prefix));
}

BOOST_AUTO_TEST_CASE(what_next_throws_is_passed_on_and_leaves_no_store) {
  int given = 0;
  const auto next = [&]() -> std::optional<Record> {
    if (given == 10) throw std::runtime_error("the line is broken");
    return records.at(static_cast<std::size_t>(given++));
  };
  const auto import = [&] { store::make_store(to, [&](store::Environment& made) { import_records(made, next); }); };
  BOOST_TEST(test::message_of<std::runtime_error>(import) == "the line is broken");
  BOOST_TEST(!std::filesystem::exists(to));
  import_to(to, records);
  check_same(*this, World(to));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
