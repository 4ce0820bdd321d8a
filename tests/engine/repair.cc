// Each kind of damage is done on purpose, to a store that has something of everything. What was whole has to be there
// afterwards, and check() must find nothing.
#include "engine/repair.hpp"

#include "full_world.hpp"
#include "store/damage.hpp"
#include "store/making.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <memory>
#include <set>

namespace tq::engine {
namespace {

namespace fs = std::filesystem;

// A copy of the files of a store, to be damaged and repaired.
class Patient {
 public:
  explicit Patient(const FileWorld& sound) : path(dir / "jobs.tq"), sound_(sound) {
    fs::copy(sound.path(), path);
    for (const char* suffix : {"-intake", "-blobs"}) {
      if (fs::exists(sound.path() + suffix)) fs::copy(sound.path() + suffix, path + suffix);
    }
  }

  // In one transaction.
  void damage(const std::function<void(store::WriteTransaction&)>& edit) {
    const auto environment = store::Environment::open(path, {.create = false});
    store::WriteTransaction txn = environment->write();
    edit(txn);
    txn.commit();
  }
  template <class Key>
  void rot(const Key& key) {
    damage([&](store::WriteTransaction& txn) {
      store::rot(txn, key);
      bytes_lost = store::stored_bytes(txn, Key::kTree, store::encode_key(key));
    });
  }

  // As tq::repair does it. The store is checked when this ends.
  World& repair() {
    const auto intake = store::salvage_intake(path + "-intake");
    store::remake_store(path, path + "-damaged", [&](store::Environment& made) {
      const auto old = store::Environment::open_alone(path, path, false);
      const auto set_aside = [&](const Damage& damage) { lost.push_back(damage); };
      repaired = engine::repair(old->read(), made, intake, sound_.clock.now(), set_aside, {});
    });
    world = std::make_unique<World>(path);
    world->clock.set(sound_.clock.now());
    store::move_idle_side_files(*world->environment, path + "-damaged-blobs");
    BOOST_TEST(repaired.set_aside == lost.size());
    return *world;
  }

  bool says(std::string_view text) const {
    for (const std::string& change : repaired.changes) {
      if (change.find(text) != change.npos) return true;
    }
    for (const std::string& change : repaired.changes) BOOST_TEST_MESSAGE("changed: " << change);
    return false;
  }
  // One record was set aside, with these bytes.
  void check_lost(std::string_view what, std::string_view tree) const {
    BOOST_TEST_REQUIRE(lost.size() == 1u);
    BOOST_TEST(lost[0].what == what);
    BOOST_TEST(lost[0].tree == tree);
    BOOST_TEST((lost[0].value == bytes_lost));
  }
  // Everything is as in the sound store, but for these jobs.
  void check_jobs_but(const std::set<JobId>& touched) const {
    std::set<JobId> ids;
    for (const JobInfo& job : sound_.list({.limit = 1000})) {
      ids.insert(job.id);
      if (!touched.contains(job.id)) check_job(job.id);
    }
    for (const JobInfo& job : world->list({.limit = 1000})) {
      BOOST_TEST((ids.contains(job.id) || touched.contains(job.id)), "job " << job.id);
    }
  }
  // All events are the same, but for `lost` and what comes behind the last.
  void check_events() const {
    const auto before = sound_.events({.limit = 10'000});
    const auto after = world->events({.limit = 10'000});
    BOOST_TEST_REQUIRE(after.size() >= before.size());
    for (std::size_t i = 0; i < before.size(); ++i) {
      BOOST_TEST(after[i].seq == before[i].seq);
      if (after[i].type == EventType::lost) continue;
      BOOST_TEST(after[i].type == before[i].type);
      BOOST_TEST(after[i].text == before[i].text);
      BOOST_TEST(after[i].job == before[i].job);
      BOOST_TEST(after[i].queue == before[i].queue);
    }
  }

  const test::TempDir dir;
  const std::string path;
  std::string bytes_lost;
  Repaired repaired;
  std::vector<Damage> lost;
  std::unique_ptr<World> world;

 private:
  void check_job(JobId id) const {
    const auto here = find_job(world->read(), id);
    BOOST_TEST(here.has_value(), "job " << id << " is gone");
    if (!here) return;
    BOOST_TEST((*here == *find_job(sound_.read(), id)), "job " << id << " is different");
    BOOST_TEST((payload(world->read(), id) == payload(sound_.read(), id)), "payload of job " << id);
    BOOST_TEST((saved_state(world->read(), id) == saved_state(sound_.read(), id)), "saved state of job " << id);
    if (is_final(here->header.state)) {
      BOOST_TEST((result(world->read(), id)->value == result(sound_.read(), id)->value), "result of job " << id);
    }
    std::string text;
    for (const LogChunk& chunk : world->output(id)) text += chunk.bytes;
    std::string expected;
    for (const LogChunk& chunk : sound_.output(id)) expected += chunk.bytes;
    BOOST_TEST((text == expected), "output of job " << id);
  }

  const FileWorld& sound_;
};

struct RepairWorld : FullWorld {
  Patient patient{*this};

  // Of which nothing is left but the catalogue's own: the counters and all that is derived.
  void check_counters() const {
    BOOST_TEST(totals(patient.world->read()).next_job == totals(read()).next_job);
    BOOST_TEST((totals(patient.world->read()) == totals(read())));
  }
};

BOOST_FIXTURE_TEST_SUITE(repair_, RepairWorld)

BOOST_AUTO_TEST_CASE(a_store_without_damage_keeps_everything) {
  World& after = patient.repair();
  check_same(*this, after);
  BOOST_TEST(patient.lost.empty());
  BOOST_TEST(patient.repaired.changes.empty());
  BOOST_TEST(!fs::exists(patient.path + "-damaged-blobs"));
  BOOST_TEST((after.environment->uuid() == environment->uuid()));
  patient.check_jobs_but({});
}

BOOST_AUTO_TEST_CASE(damaged_counters_are_made_anew) {
  patient.rot(TotalsKey{});
  World& after = patient.repair();
  patient.check_lost("a record of the catalogue", "catalog");
  patient.check_jobs_but({});
  patient.check_events();
  const model::Totals before = totals(read());
  const model::Totals now = totals(after.read());
  BOOST_TEST(now.next_job == before.next_job);
  BOOST_TEST(now.next_event == before.next_event);
  BOOST_TEST(now.next_worker == before.next_worker);
  BOOST_TEST(now.next_queue == before.next_queue);
  BOOST_TEST(now.next_task == before.next_task);
  BOOST_TEST(patient.says("the counters of the store were damaged"));
}

BOOST_AUTO_TEST_CASE(numbers_of_jobs_that_are_known_by_their_events_alone_are_not_given_out_again) {
  cancel(add(), "the newest");
  remove(20);
  Patient other(*this);
  other.rot(TotalsKey{});
  World& after = other.repair();
  BOOST_TEST(after.add() == 21u);
}

BOOST_AUTO_TEST_CASE(a_damaged_queue_keeps_its_name_and_its_jobs) {
  const std::uint32_t number = find_queue(read(), "limited").value();
  patient.rot(QueueKey{number});
  World& after = patient.repair();
  patient.check_lost("a record of the catalogue", "catalog");
  BOOST_TEST(patient.says("queue 'limited' has its default settings again"));
  patient.check_jobs_but({});
  patient.check_events();
  BOOST_TEST(after.queue("limited")[State::ready] == 1u);
  BOOST_TEST(!after.queue("limited").settings.max_size);
  check_counters();
}

BOOST_AUTO_TEST_CASE(a_queue_whose_name_is_damaged_as_well_is_called_by_its_number) {
  const std::uint32_t number = find_queue(read(), "limited").value();
  patient.rot(QueueKey{number});
  patient.damage(
      [](store::WriteTransaction& txn) { store::rot(txn, Tree::catalog, std::string(1, kQueueNameKind) + "limited"); });
  World& after = patient.repair();
  BOOST_TEST(patient.lost.size() == 2u);
  const std::string name = "recovered-" + std::to_string(number);
  BOOST_TEST(after.info(16).queue == name);
  BOOST_TEST(patient.says("queue '" + name + "' has its default settings again"));
}

BOOST_AUTO_TEST_CASE(damaged_names_are_made_anew) {
  patient.damage([](store::WriteTransaction& txn) {
    store::rot(txn, Tree::catalog, std::string(1, kQueueNameKind) + "limited");
    store::rot(txn, Tree::catalog, std::string(1, kTaskNameKind) + "work");
  });
  World& after = patient.repair();
  BOOST_TEST(patient.lost.size() == 2u);
  check_same(*this, after);
}

BOOST_AUTO_TEST_CASE(a_damaged_task_keeps_its_name) {
  patient.rot(TaskKey{find_task(read(), "play").value()});
  World& after = patient.repair();
  patient.check_lost("a record of the catalogue", "catalog");
  check_same(*this, after);
}

BOOST_AUTO_TEST_CASE(a_task_whose_name_is_lost_gets_another) {
  const std::uint32_t number = find_task(read(), "play").value();
  patient.rot(TaskKey{number});
  patient.damage(
      [](store::WriteTransaction& txn) { store::rot(txn, Tree::catalog, std::string(1, kTaskNameKind) + "play"); });
  World& after = patient.repair();
  const std::string name = "recovered-" + std::to_string(number);
  BOOST_TEST(after.info(12).task == name);
  BOOST_TEST(patient.says("a task is called '" + name + "' now"));
}

BOOST_AUTO_TEST_CASE(the_jobs_of_a_damaged_worker_are_ready_once_it_is_rescued) {
  patient.rot(WorkerKey{w});
  World& after = patient.repair();
  patient.check_lost("a record of the catalogue", "catalog");
  patient.check_jobs_but({});
  BOOST_TEST(worker_record(after.read(), w)->pid == 0);
  BOOST_TEST(after.rescue(w) == 3u);
  BOOST_TEST(after.state(4) == State::ready);
  BOOST_TEST(after.info(4).crashes == 0u);
}

BOOST_AUTO_TEST_CASE(a_damaged_job_of_any_state_is_set_aside_with_all_that_was_its) {
  for (const JobInfo& job : list({.limit = 1000})) {
    Patient other(*this);
    other.rot(JobKey{job.id});
    World& after = other.repair();
    BOOST_TEST(!after.exists(job.id));
    other.check_jobs_but({job.id});
    other.check_events();
    BOOST_TEST_REQUIRE(!other.lost.empty());
    BOOST_TEST(other.lost[0].what == "job " + std::to_string(job.id));
    BOOST_TEST((other.lost[0].key == std::string(store::encode_key(JobKey{job.id}))));
    BOOST_TEST((other.lost[0].value == other.bytes_lost));
    // Its output and blobs, too.
    for (const Damage& damage : other.lost) {
      BOOST_TEST(damage.what.ends_with(" " + std::to_string(job.id)), damage.what);
    }
    const bool has_side_files = job.id == 8;
    BOOST_TEST(fs::exists(other.path + "-damaged-blobs") == has_side_files);
    BOOST_TEST(after.add() == 20u);
  }
}

BOOST_AUTO_TEST_CASE(index_entries_are_derived_whatever_happened_to_them) {
  patient.damage([&](store::WriteTransaction& txn) {
    store::erase(txn, ready_key(1, header(1)));
    store::rot(txn, ActiveKey{w, 4});
    store::put(txn, DueKey{5, 4711});
    store::put(txn, DueKey{5, 1});
  });
  World& after = patient.repair();
  check_same(*this, after);
  BOOST_TEST(patient.repaired.changes.empty());
}

BOOST_AUTO_TEST_CASE(counters_of_queues_are_derived_whatever_happened_to_them) {
  const std::uint32_t number = find_queue(read(), "default").value();
  patient.damage([&](store::WriteTransaction& txn) {
    model::QueueRecord record = queue_record(txn, number);
    for (auto& count : record.count) count += 7;
    store::put(txn, QueueKey{number}, model::encode(record));
  });
  check_same(*this, patient.repair());
}

BOOST_AUTO_TEST_CASE(an_event_that_is_damaged_is_replaced_by_one_that_says_so) {
  const EventSeq newest = stats().last_event;
  for (EventSeq seq = 1; seq <= newest; ++seq) {
    Patient other(*this);
    other.rot(EventKey{seq});
    World& after = other.repair();
    other.check_lost("event " + std::to_string(seq), "events");
    other.check_jobs_but({});
    const auto events = after.events({.limit = 10'000});
    BOOST_TEST(after.stats().last_event == newest);
    if (seq == 1) {  // where the log begins is no matter
      BOOST_TEST(events.front().seq == 2u);
      continue;
    }
    other.check_events();
    const Event& lost = events.at(seq - 1);
    BOOST_TEST(lost.type == EventType::lost);
    BOOST_TEST(other.says("1 events were lost"));
    // Events of the same job lead through it, unless it was the last of a job that is gone.
    const Event before = this->events({.after = seq - 1, .limit = 1}).at(0);
    if (before.job != 0 && exists(before.job)) BOOST_TEST(lost.job == before.job, "event " << seq);
  }
}

BOOST_AUTO_TEST_CASE(events_that_are_damaged_in_a_row_are_replaced) {
  const EventSeq newest = stats().last_event;
  patient.damage([&](store::WriteTransaction& txn) {
    for (EventSeq seq = newest / 2; seq <= newest; ++seq) store::rot(txn, EventKey{seq});
    store::rot(txn, TotalsKey{});  // who could say how many there were
  });
  World& after = patient.repair();
  patient.check_jobs_but({});
  BOOST_TEST(after.add() == 20u);
}

BOOST_AUTO_TEST_CASE(all_events_may_be_lost) {
  const EventSeq newest = stats().last_event;
  patient.damage([&](store::WriteTransaction& txn) {
    for (EventSeq seq = 1; seq <= newest; ++seq) store::rot(txn, EventKey{seq});
  });
  World& after = patient.repair();
  patient.check_jobs_but({});
  after.add();
  BOOST_TEST(after.stats().last_event == newest + 1);
}

BOOST_AUTO_TEST_CASE(a_piece_of_output_that_is_damaged_is_lost_and_no_more) {
  patient.rot(LogKey{4, 2});
  World& after = patient.repair();
  patient.check_lost("output of job 4", "logs");
  patient.check_jobs_but({4});
  BOOST_TEST(patient.says("job 4 has lost 3 bytes of its output"));
  std::string text;
  for (const LogChunk& chunk : after.output(4)) text += chunk.stream == Stream::note ? "" : chunk.bytes;
  BOOST_TEST(text == "one\n\xffthree");
  BOOST_TEST(after.header(4).log_bytes == 10u);
  BOOST_TEST(after.header(4).log_dropped_bytes == 3u);
  BOOST_TEST(after.header(4).log_next == 4u);
}

BOOST_AUTO_TEST_CASE(output_of_which_any_piece_is_damaged_goes_on_being_written) {
  const Claimed talker = start_alone();
  for (char c = 'a'; c < 'z'; ++c) write(talker, std::string(100, c), 1000);
  for (const LogChunk& chunk : output(talker.id)) {
    if (chunk.stream == Stream::note) continue;
    Patient other(*this);
    other.rot(LogKey{talker.id, chunk.seq});
    World& after = other.repair();
    other.check_jobs_but({talker.id});
    for (char c = 'a'; c < 'z'; ++c) after.write(talker, std::string(100, c), 1000);
    BOOST_TEST(after.header(talker.id).log_bytes <= 1000u);
  }
}

BOOST_AUTO_TEST_CASE(a_job_that_waits_and_has_lost_its_payload_fails_with_that) {
  const JobId id = add({.priority = -9}, "work", std::string(3000, 'p'));
  Patient other(*this);
  other.rot(store::make_chunk_key(id, store::BlobKind::payload, 0));
  World& after = other.repair();
  BOOST_TEST(after.state(id) == State::failed);
  BOOST_TEST(after.info(id).error == "its payload was damaged, and set aside by a repair");
  BOOST_TEST(other.says("job 20: its payload was damaged"));
  BOOST_TEST(after.payload(id).empty());
  other.check_jobs_but({id});
  BOOST_TEST(other.lost.size() == 2u);  // the part and the record of the whole
  BOOST_TEST(after.stats().failed == stats().failed + 1);
  after.remove(id);
}

BOOST_AUTO_TEST_CASE(a_running_job_that_has_lost_its_payload_fails) {
  patient.rot(store::make_blob_key(4, store::BlobKind::payload));
  World& after = patient.repair();
  BOOST_TEST(after.state(4) == State::failed);
  BOOST_CHECK(saved_state(after.read(), 4) == std::string(5'000, 's'));
  BOOST_TEST(patient.lost.size() == 4u);  // with its three parts
  patient.check_jobs_but({4});
}

BOOST_AUTO_TEST_CASE(a_job_that_is_over_and_has_lost_its_payload_stays_what_it_was) {
  patient.rot(store::make_blob_key(8, store::BlobKind::payload));
  World& after = patient.repair();
  patient.check_lost("blob of job 8", "blobs");
  BOOST_TEST(after.state(8) == State::succeeded);
  BOOST_CHECK(after.result(8)->value.bytes == std::string(200'000, 'R'));
  BOOST_TEST(after.payload(8).empty());
  BOOST_TEST(patient.says("job 8: its payload was damaged"));
  patient.check_jobs_but({8});
  BOOST_TEST(fs::exists(patient.path + "-damaged-blobs"));  // its bytes are not lost, only whose they are
}

BOOST_AUTO_TEST_CASE(a_result_that_is_damaged_is_lost_and_the_job_stays) {
  patient.rot(store::make_chunk_key(7, store::BlobKind::result, 2));
  World& after = patient.repair();
  BOOST_TEST(after.state(7) == State::succeeded);
  BOOST_TEST(after.result(7)->value.bytes.empty());
  BOOST_TEST(after.info(7).error == "its result was damaged, and set aside by a repair");
  BOOST_TEST(patient.lost.size() == 6u);  // five parts and their record
  patient.check_jobs_but({7});
}

BOOST_AUTO_TEST_CASE(a_saved_state_that_is_damaged_is_lost_and_the_job_goes_on) {
  patient.rot(store::make_blob_key(4, store::BlobKind::saved));
  World& after = patient.repair();
  BOOST_TEST(after.state(4) == State::running);
  BOOST_TEST(!saved_state(after.read(), 4).has_value());
  BOOST_TEST(patient.says("job 4: its saved state was damaged"));
  BOOST_TEST(after.payload(4) == std::string(10'000, 'p'));
  patient.check_jobs_but({4});
}

BOOST_AUTO_TEST_CASE(a_side_file_that_is_damaged_or_missing_is_lost) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path() + "-blobs")) names.push_back(entry.path().filename());
  BOOST_TEST_REQUIRE(names.size() == 3u);
  for (const std::string& name : names) {
    for (const bool is_missing : {false, true}) {
      Patient other(*this);
      if (is_missing) {
        fs::remove(other.path + "-blobs/" + name);
      } else {
        fs::resize_file(other.path + "-blobs/" + name, 100);
      }
      World& after = other.repair();
      BOOST_TEST(other.lost.size() == 1u);
      BOOST_TEST(other.repaired.changes.size() == 1u);
      BOOST_TEST(after.state(8) == State::succeeded);
      other.check_jobs_but({8});
      BOOST_TEST(fs::exists(other.path + "-damaged-blobs/" + name) == !is_missing);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_format_record_is_made_anew) {
  patient.damage([](store::WriteTransaction& txn) { store::rot(txn, Tree::catalog, store::format_key()); });
  World& after = patient.repair();
  BOOST_TEST(patient.lost.size() == 1u);
  patient.check_jobs_but({});
  patient.check_events();
  BOOST_TEST((after.environment->uuid() != std::string(16, '\0')));
  check_counters();
}

// --- the intake ---

BOOST_AUTO_TEST_CASE(what_lies_in_the_intake_is_taken_in) {
  const JobId small = add_to_intake("small");
  const JobId large = add_to_intake(std::string(5000, 'l'));
  Patient other(*this);
  World& after = other.repair();
  BOOST_TEST(after.payload(small) == "small");
  BOOST_CHECK(after.payload(large) == std::string(5000, 'l'));
  BOOST_TEST(after.history(large) == "enqueued");
  BOOST_TEST(!after.environment->intake_is_pending());
  take_in();
  check_same(*this, after);
  BOOST_TEST(after.add() == large + 1);
}

BOOST_AUTO_TEST_CASE(a_hole_in_the_intake_costs_one_job) {
  const JobId first = add_to_intake("first");
  const JobId second = add_to_intake("second");
  const JobId third = add_to_intake("third");
  Patient other(*this);
  take_in();  // here, where nothing is damaged
  {
    const auto records = store::salvage_intake(other.path + "-intake");
    const auto found = std::find_if(records.begin(), records.end(), [&](const auto& r) { return r.number == second; });
    std::fstream ring(other.path + "-intake");
    ring.seekp(static_cast<std::streamoff>(found->position + 50));
    ring.put('\xff');
  }
  World& after = other.repair();
  BOOST_TEST(after.payload(first) == "first");
  BOOST_TEST(!after.exists(second));
  BOOST_TEST(after.payload(third) == "third");
  BOOST_TEST(other.says("bytes of the intake were damaged"));
  BOOST_TEST_REQUIRE(other.lost.size() == 1u);
  BOOST_TEST(other.lost[0].what == "a part of the intake");
  BOOST_TEST(other.lost[0].tree == "intake");
  BOOST_TEST(other.lost[0].value.find("second") != std::string::npos);
  BOOST_TEST(!after.environment->intake_is_pending());
  BOOST_TEST(after.add() == third + 1);
}

BOOST_AUTO_TEST_CASE(if_it_is_damaged_how_far_the_intake_was_taken_in_nothing_is_taken_twice) {
  const JobId pending = add_to_intake("pending");
  Patient other(*this);
  other.damage([](store::WriteTransaction& txn) { store::rot(txn, Tree::catalog, store::intake_key()); });
  World& after = other.repair();
  BOOST_TEST(other.lost.size() == 1u);
  BOOST_TEST(other.says("how far the intake had been taken in was damaged: 1 of its jobs were taken in"));
  BOOST_TEST(after.payload(pending) == "pending");
  BOOST_TEST(after.payload(19) == "from the intake");
  BOOST_TEST(after.history(19) == "enqueued");
  BOOST_TEST(!after.environment->intake_is_pending());
  take_in();
  check_same(*this, after);
}

// --- anything ---

BOOST_AUTO_TEST_CASE(whatever_is_damaged_what_is_left_holds_together) {
  test::Random random;
  for (int round = 0; round < 15; ++round) {
    RandomWorld sound;
    sound.run(random, 250);
    std::vector<std::pair<Tree, std::string>> keys;
    for (const Tree tree : {Tree::catalog, Tree::jobs, Tree::index, Tree::events, Tree::logs, Tree::blobs}) {
      store::visit_tree(sound.read(), tree,
                        [&](std::string_view key, std::optional<std::string_view>, std::string_view) {
                          keys.emplace_back(tree, std::string(key));
                        });
    }
    Patient other(sound);
    std::set<std::pair<Tree, std::string>> hit;
    other.damage([&](store::WriteTransaction& txn) {
      for (std::size_t count = 1 + random.below(30); count != 0; --count) {
        const auto& [tree, key] = random.pick(keys);
        const std::size_t size = store::stored_bytes(txn, tree, key).size();
        if (size == 0 || (tree == Tree::catalog && key == store::format_key())) continue;
        if (hit.emplace(tree, key).second) store::rot(txn, tree, key, random.below(size));
      }
    });
    World& after = other.repair();
    std::set<JobId> jobs_hit;
    for (const auto& [tree, key] : hit) {
      const bool is_of_job = tree == Tree::jobs || tree == Tree::logs || tree == Tree::blobs;
      if (is_of_job) jobs_hit.insert(base::ByteReader(std::string_view(key).substr(1)).be<std::uint64_t>());
    }
    for (const auto& [tree, key] : hit) {
      if (tree == Tree::index) continue;
      const bool is_there = std::any_of(other.lost.begin(), other.lost.end(), [&, k = key](const Damage& damage) {
        return damage.key == k && !damage.value.empty();
      });
      BOOST_TEST(is_there, "a record of the tree " << static_cast<int>(tree) << " is not among what was lost");
    }
    other.check_jobs_but(jobs_hit);
    after.add();
    after.fire_due();
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
