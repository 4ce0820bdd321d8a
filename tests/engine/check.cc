// A check that cannot fail is worthless: each kind of damage is done on purpose, and has to be found. The damage is never
// committed.
#include "engine/check.hpp"

#include "store/lmdb.hpp"
#include "store/transaction_impl.hpp"
#include "world.hpp"

#include <functional>

namespace tq::engine {
namespace {

using Damage = std::function<void(Ledger&)>;

// A store with something of each kind in it:
//   1 ready · 2 scheduled with a deadline · 3 running, with output, saved state and a blob for a payload
//   4 retrying · 5 succeeded with a blob for a result · 6 failed · 7 cancelled, in another queue · 8 ready, of another task
struct Damaging : World {
  const WorkerId w = worker();

  Damaging() {
    add();
    add({.delay = 1h, .expires_in = 2h});
    const Claimed running = start_alone({}, std::string(10'000, 'p'));
    write(running, "some output");
    change([&](Ledger& ledger) { save_state(ledger, key(running), {*environment, std::string(5'000, 's')}); });
    finish(start_alone(), failed());
    Outcome outcome = succeeded();
    outcome.result_blob.emplace(*environment, std::string(20'000, 'r'));
    finish(start_alone(), std::move(outcome));
    finish(start_alone(), failed_for_good());
    add({.queue = "other"});
    cancel(7);
    add({}, "other");
  }

  Claimed start_alone(EnqueueOptions options = {}, std::string payload = {}) {
    options.priority = 100;
    return start(w, options, std::move(payload));
  }

  // What check says after the damage, which is taken back.
  std::vector<std::string> problems_after(const Damage& damage, bool deep = true) {
    store::WriteTransaction txn = environment->write();
    Ledger ledger(txn, clock.now());
    damage(ledger);
    return check(txn, deep).problems;
  }
  // Is `text` in what it says?
  bool finds(std::string_view text, const Damage& damage, bool deep = true) {
    const std::vector<std::string> problems = problems_after(damage, deep);
    for (const std::string& problem : problems) {
      if (problem.find(text) != problem.npos) return true;
    }
    for (const std::string& problem : problems) BOOST_TEST_MESSAGE("check: " << problem);
    return false;
  }

  // Writes a job's record past the ledger.
  static void edit(Ledger& ledger, JobId id, const std::function<void(model::JobHeader&)>& edit) {
    model::JobRecord record = find_job(ledger.txn(), id).value();
    edit(record.header);
    store::put(ledger.txn(), JobKey{id}, model::encode(record));
  }
  static void edit_event(Ledger& ledger, EventSeq seq, const std::function<void(model::EventRecord&)>& edit) {
    model::EventRecord record = model::decode_event(store::get(ledger.txn(), EventKey{seq}).value());
    edit(record);
    store::put(ledger.txn(), EventKey{seq}, model::encode(record));
  }
  static std::uint32_t queue_number(Ledger& ledger) { return find_queue(ledger.txn(), "default").value(); }
  static std::uint32_t task_number(Ledger& ledger) { return find_task(ledger.txn(), "work").value(); }

  // Flips a bit of a stored value, as a disk would.
  template <class Key>
  static void rot(Ledger& ledger, const Key& key) {
    std::string name(store::encode_key(key));
    store::Transaction::Impl& impl = ledger.txn().impl();
    MDB_val where = store::to_val(name);
    MDB_val stored{};
    BOOST_TEST_REQUIRE(mdb_get(impl.txn, impl.tree(Key::kTree), &where, &stored) == 0);
    std::string bytes(store::to_view(stored));
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
    MDB_val what = store::to_val(bytes);
    BOOST_TEST_REQUIRE(mdb_put(impl.txn, impl.tree(Key::kTree), &where, &what, 0) == 0);
  }
};

BOOST_FIXTURE_TEST_SUITE(check_, Damaging)

BOOST_AUTO_TEST_CASE(a_sound_store_has_no_problems) {
  const CheckReport report = check(read(), true);
  BOOST_TEST(report.problems.empty());
  BOOST_TEST(report.records > 40u);
  BOOST_TEST(check(read(), false).problems.empty());
  BOOST_TEST(problems_after([](Ledger&) {}).empty());
}

BOOST_AUTO_TEST_CASE(an_index_entry_that_is_missing_is_found) {
  for (const JobId id : {1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u}) {
    const model::JobHeader header = this->header(id);
    for (const store::KeyBytes& key : IndexKeys(id, header)) {
      const std::string text =
          "job " + std::to_string(id) + " (" + std::string(to_string(header.state)) + ") is missing";
      BOOST_TEST(finds(text, [&](Ledger& ledger) { ledger.txn().erase(Tree::index, key); }));
    }
  }
}

BOOST_AUTO_TEST_CASE(an_index_entry_without_a_job_is_found) {
  const JobId nobody = 4711;
  const auto finds_extra = [&](auto key) {
    return finds("job 4711 does not exist", [&](Ledger& ledger) { store::put(ledger.txn(), key); });
  };
  BOOST_TEST(finds_extra(ReadyKey{1, 1, -1, 5, nobody}));
  BOOST_TEST(finds_extra(DueKey{5, nobody}));
  BOOST_TEST(finds_extra(ExpiryKey{5, nobody}));
  BOOST_TEST(finds_extra(SpanKey{5, nobody}));
  BOOST_TEST(finds_extra(ActiveKey{w, nobody}));
  BOOST_TEST(finds_extra(FinalKey{7, 5, nobody}));
  BOOST_TEST(finds_extra(KeepKey{5, nobody}));
}

BOOST_AUTO_TEST_CASE(an_index_entry_of_another_state_is_found) {
  const auto finds_extra = [&](auto key, std::string_view text) {
    return finds(text, [&](Ledger& ledger) { store::put(ledger.txn(), key); });
  };
  BOOST_TEST(finds_extra(ready_key(3, header(3)), "job 3 (running) does not belong there"));
  BOOST_TEST(finds_extra(ReadyKey{1, 1, -1, 5, 1}, "job 1 (ready) does not belong there"));  // in another place, too
  BOOST_TEST(finds_extra(DueKey{5, 1}, "job 1 (ready) does not belong there"));
  BOOST_TEST(finds_extra(SpanKey{5, 1}, "job 1 (ready) does not belong there"));
  BOOST_TEST(finds_extra(ExpiryKey{5, 1}, "job 1 (ready) does not belong there"));
  BOOST_TEST(finds_extra(ActiveKey{w, 6}, "job 6 (failed) does not belong there"));
  BOOST_TEST(finds_extra(FinalKey{7, 5, 1}, "job 1 (ready) does not belong there"));
  BOOST_TEST(finds_extra(KeepKey{5, 6}, "job 6 (failed) does not belong there"));
}

BOOST_AUTO_TEST_CASE(a_job_that_is_gone_is_found_by_its_index_counter_output_and_blobs) {
  const Damage damage = [](Ledger& ledger) { store::erase(ledger.txn(), JobKey{3}); };
  BOOST_TEST(finds("the index of running jobs: job 3 does not exist", damage));
  BOOST_TEST(finds("queue 'default' counts 1 jobs that are running, but there are 0", damage));
  BOOST_TEST(finds("there is output of job 3, which does not exist", damage));
  BOOST_TEST(finds("of job 3 belongs to nothing", damage));
}

BOOST_AUTO_TEST_CASE(a_counter_of_a_queue_that_drifts_is_found) {
  for (std::size_t state = 1; state < kStateCount; ++state) {
    BOOST_TEST(finds("queue 'default' counts", [&](Ledger& ledger) {
      ++ledger.queue(queue_number(ledger)).count[state];
      ledger.close();
    }));
  }
}

BOOST_AUTO_TEST_CASE(counters_of_the_store_that_lag_behind_are_found) {
  const auto with = [&](const std::function<void(model::Totals&)>& edit) -> Damage {
    return [edit](Ledger& ledger) {
      edit(ledger.totals());
      ledger.close();
    };
  };
  BOOST_TEST(finds("job 8 has a number that was never given out", with([](auto& totals) { totals.next_job = 8; })));
  BOOST_TEST(finds("never given out", with([](auto& totals) { totals.next_event = 5; })));
  BOOST_TEST(finds("the events from", with([](auto& totals) { totals.next_event += 1; })));
  BOOST_TEST(finds("queue number 2 was never given out", with([](auto& totals) { totals.next_queue = 2; })));
  BOOST_TEST(finds("task number 2 was never given out", with([](auto& totals) { totals.next_task = 2; })));
  BOOST_TEST(finds("worker number 1 was never given out", with([](auto& totals) { totals.next_worker = 1; })));
  BOOST_TEST(finds("are said to have been enqueued", with([](auto& totals) { ++totals.enqueued; })));
}

BOOST_AUTO_TEST_CASE(a_catalogue_that_does_not_lead_both_ways_is_found) {
  const auto name = [](char kind, std::string_view text) { return std::string(1, kind) + std::string(text); };
  BOOST_TEST(finds("queue 'default' is not found by its name",
                   [&](Ledger& ledger) { ledger.txn().erase(Tree::catalog, name(kQueueNameKind, "default")); }));
  BOOST_TEST(finds("task 'work' is not found by its name",
                   [&](Ledger& ledger) { ledger.txn().erase(Tree::catalog, name(kTaskNameKind, "work")); }));
  BOOST_TEST(finds("'ghost' has no record", [&](Ledger& ledger) {
    ledger.txn().put(Tree::catalog, name(kQueueNameKind, "ghost"), {"\x01\0\0\0", 4});
  }));
  BOOST_TEST(finds("'ghost' has no record", [&](Ledger& ledger) {
    ledger.txn().put(Tree::catalog, name(kTaskNameKind, "ghost"), {"\x63\0\0\0", 4});
  }));
  BOOST_TEST(
      finds("is damaged", [&](Ledger& ledger) { ledger.txn().put(Tree::catalog, name(kTaskNameKind, "ghost"), "x"); }));
  BOOST_TEST(finds("is in queue number 1, which does not exist",
                   [&](Ledger& ledger) { store::erase(ledger.txn(), QueueKey{queue_number(ledger)}); }));
  BOOST_TEST(finds("is of task number 1, which does not exist",
                   [&](Ledger& ledger) { store::erase(ledger.txn(), TaskKey{task_number(ledger)}); }));
}

BOOST_AUTO_TEST_CASE(a_job_of_a_worker_that_is_not_registered_is_found) {
  BOOST_TEST(finds("job 3 runs on worker 1, which is not registered",
                   [&](Ledger& ledger) { store::erase(ledger.txn(), WorkerKey{w}); }));
}

BOOST_AUTO_TEST_CASE(a_record_that_contradicts_its_state_is_found) {
  const auto finds_in = [&](JobId id, std::string_view text, const std::function<void(model::JobHeader&)>& change) {
    return finds(text, [&](Ledger& ledger) { edit(ledger, id, change); });
  };
  BOOST_TEST(finds_in(1, "does not run but is asked to stop", [](auto& h) { h.set(model::kCancelRequested); }));
  BOOST_TEST(finds_in(1, "does not run but is claimed ahead", [](auto& h) { h.set(model::kAhead); }));
  BOOST_TEST(finds_in(3, "runs but counts no attempt", [](auto& h) { h.attempt = 0; }));
  BOOST_TEST(finds_in(1, "counts 1 attempts but was claimed 0 times", [](auto& h) { h.attempt = 1; }));
  BOOST_TEST(finds_in(6, "at attempt 9 of at most 4", [](auto& h) { h.attempt = h.run = 9; }));
  BOOST_TEST(finds_in(1, "is ready but has a time of its end", [](auto& h) { h.finished_ms = 5; }));
  BOOST_TEST(finds_in(1, "is ready but has a time of its end", [](auto& h) { h.keep_until_ms = 5; }));
  BOOST_TEST(finds_in(6, "is over but has no time of its end", [](auto& h) { h.finished_ms = 0; }));
  BOOST_TEST(finds_in(6, "is failed but has a result", [](auto& h) { h.set(model::kResultIsBlob); }));
  BOOST_TEST(finds_in(1, "missing in an index", [](auto& h) { h.due_ms += 1; }));
  BOOST_TEST(finds_in(1, "missing in an index", [](auto& h) { h.priority = 5; }));
  BOOST_TEST(finds_in(6, "missing in an index", [](auto& h) { h.state = State::cancelled; }));
  BOOST_TEST(finds_in(1, "is in queue number 9", [](auto& h) { h.queue = 9; }));
  BOOST_TEST(finds_in(1, "is of task number 9", [](auto& h) { h.task = 9; }));
}

BOOST_AUTO_TEST_CASE(a_blob_that_is_missing_or_not_wanted_is_found) {
  const auto finds_in = [&](JobId id, std::string_view text, model::JobFlag flag, bool on) {
    return finds(text, [&](Ledger& ledger) { edit(ledger, id, [&](auto& header) { header.set(flag, on); }); });
  };
  BOOST_TEST(finds_in(1, "job 1 has lost its blob of kind 1", model::kPayloadIsBlob, true));
  BOOST_TEST(finds_in(1, "job 1 has lost its blob of kind 3", model::kHasSaved, true));
  BOOST_TEST(finds_in(3, "the blob of kind 1 of job 3 belongs to nothing", model::kPayloadIsBlob, false));
  BOOST_TEST(finds_in(3, "the blob of kind 3 of job 3 belongs to nothing", model::kHasSaved, false));
  BOOST_TEST(finds_in(5, "the blob of kind 2 of job 5 belongs to nothing", model::kResultIsBlob, false));
  BOOST_TEST(finds("job 5 has lost its blob of kind 2",
                   [](Ledger& ledger) { store::erase_blob(ledger.txn(), 5, store::BlobKind::result); }));
}

BOOST_AUTO_TEST_CASE(output_that_is_missing_or_too_much_is_found) {
  const Damage lose = [](Ledger& ledger) { store::erase(ledger.txn(), LogKey{3, 1}); };
  BOOST_TEST(finds("job 3 has lost its output", lose));
  BOOST_TEST(problems_after(lose, false).empty());  // only a deep look reads output
  const auto write_log = [](JobId job, std::uint64_t seq) -> Damage {
    return [job, seq](Ledger& ledger) {
      const model::LogRecord record{0, 1, Stream::out, "x"};
      store::put(ledger.txn(), LogKey{job, seq}, model::encode(record));
    };
  };
  BOOST_TEST(finds("job 3 says that it has 11 bytes of output, but there are 12", write_log(3, 2)));
  BOOST_TEST(finds("output 2 of job 3 was never written", write_log(3, 2)));
  BOOST_TEST(finds("there is output of job 4711, which does not exist", write_log(4711, 1)));
  BOOST_TEST(finds("job 1 says that it has 0 bytes of output, but there are 1", write_log(1, 1)));
  const auto finds_in = [&](std::string_view text, const std::function<void(model::JobHeader&)>& change) {
    return finds(text, [&](Ledger& ledger) { edit(ledger, 3, change); });
  };
  BOOST_TEST(finds_in("more output in its head than in all", [](auto& header) { header.log_head_bytes = 12; }));
  BOOST_TEST(finds_in("a gap behind its last output", [](auto& header) { header.log_dropped_after = 2; }));
  BOOST_TEST(finds_in("says that it has 12 bytes of output", [](auto& header) { header.log_bytes = 12; }));
}

BOOST_AUTO_TEST_CASE(a_log_of_events_that_is_not_whole_is_found) {
  const EventSeq last = stats().last_event;
  BOOST_TEST(
      finds("the events between 4 and 6 are missing", [](Ledger& ledger) { store::erase(ledger.txn(), EventKey{5}); }));
  BOOST_TEST(finds("the events from " + std::to_string(last) + " on are missing",
                   [&](Ledger& ledger) { store::erase(ledger.txn(), EventKey{last}); }));
  BOOST_TEST(finds("was never given out", [&](Ledger& ledger) {
    store::put(ledger.txn(), EventKey{last + 1}, model::encode(model::EventRecord{.type = EventType::due}));
  }));
  BOOST_TEST(finds("event 5 names 5 as the one before it",
                   [](Ledger& ledger) { edit_event(ledger, 5, [](auto& event) { event.previous = 5; }); }));
  const EventSeq of_4 = header(4).last_event;
  const std::string text = "event " + std::to_string(of_4) + " names 3 as the one before it, which is not about job 4";
  BOOST_TEST(finds(text, [&](Ledger& ledger) { edit_event(ledger, of_4, [](auto& event) { event.previous = 3; }); }));
  BOOST_TEST(finds("about queue number 9, which does not exist",
                   [](Ledger& ledger) { edit_event(ledger, 5, [](auto& event) { event.queue = 9; }); }));
}

BOOST_AUTO_TEST_CASE(a_record_of_an_unknown_kind_is_found) {
  // As when a bit of the key of the first event has rotted: without it the log looks as if retention had cut it.
  const auto lose_kind = [](Ledger& ledger) {
    std::string key(store::encode_key(EventKey{1}));
    const std::string value(store::get(ledger.txn(), EventKey{1}).value());
    store::erase(ledger.txn(), EventKey{1});
    key.front() = 0;
    ledger.txn().put(Tree::events, key, value);
  };
  const EventSeq all = stats().last_event;
  const std::string text =
      "the tree 'events' has " + std::to_string(all) + " records, of which " + std::to_string(all - 1);
  for (const bool deep : {false, true}) BOOST_TEST(finds(text, lose_kind, deep));
  for (const auto tree : {Tree::catalog, Tree::jobs, Tree::index, Tree::logs, Tree::blobs}) {
    BOOST_TEST(finds("are of a known kind", [tree](Ledger& ledger) { ledger.txn().put(tree, "\x7f", "value"); }));
  }
}

BOOST_AUTO_TEST_CASE(a_job_that_does_not_know_its_newest_event_is_found) {
  const EventSeq newest = header(4).last_event;
  const auto with = [&](EventSeq seq) -> Damage {
    return [seq](Ledger& ledger) { edit(ledger, 4, [seq](auto& header) { header.last_event = seq; }); };
  };
  BOOST_TEST(finds("event " + std::to_string(newest) + " is newer than job 4 knows", with(newest - 1)));
  BOOST_TEST(finds("job 4 names event 3, which is not about it", with(3)));
  BOOST_TEST(finds("job 4 names an event that was never given out", with(999)));
}

BOOST_AUTO_TEST_CASE(a_record_that_cannot_be_read_is_a_problem_and_no_exception) {
  BOOST_TEST(finds("job 1", [](Ledger& ledger) { rot(ledger, JobKey{1}); }));
  BOOST_TEST(finds("the counters of the store", [](Ledger& ledger) { rot(ledger, TotalsKey{}); }));
  BOOST_TEST(finds("the catalogue of queues", [](Ledger& ledger) { rot(ledger, QueueKey{1}); }));
  BOOST_TEST(finds("the catalogue of tasks", [](Ledger& ledger) { rot(ledger, TaskKey{1}); }));
  BOOST_TEST(finds("the workers", [](Ledger& ledger) { rot(ledger, WorkerKey{1}); }));
  BOOST_TEST(finds("the event log", [](Ledger& ledger) { rot(ledger, EventKey{5}); }));
  BOOST_TEST(finds("the output", [](Ledger& ledger) { rot(ledger, LogKey{3, 1}); }));
  BOOST_TEST(finds("the index of running jobs", [](Ledger& ledger) { rot(ledger, ActiveKey{1, 3}); }));
  const Damage nonsense = [](Ledger& ledger) { store::put(ledger.txn(), JobKey{1}, "nonsense"); };
  BOOST_TEST(finds("the jobs: ", nonsense));
  BOOST_TEST(finds("the event log: ", [](Ledger& ledger) { store::put(ledger.txn(), EventKey{5}, "nonsense"); }));
  BOOST_TEST(finds("the workers: ", [](Ledger& ledger) { store::put(ledger.txn(), WorkerKey{1}, "nonsense"); }));
  const Damage bad_details = [](Ledger& ledger) {
    model::JobRecord record = find_job(ledger.txn(), 1).value();
    record.details = "nonsense";
    store::put(ledger.txn(), JobKey{1}, model::encode(record));
  };
  BOOST_TEST(finds("the jobs: ", bad_details));
}

BOOST_AUTO_TEST_CASE(so_many_problems_are_told_and_no_more) {
  const std::vector<std::string> problems = problems_after([](Ledger& ledger) {
    for (JobId id = 1; id <= 3000; ++id) store::put(ledger.txn(), DueKey{1, 100 + id});
  });
  BOOST_TEST(problems.size() == 1000u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
