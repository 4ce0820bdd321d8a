// Stores in files with something of each kind in them, and what two stores have in common.
#pragma once

#include "engine/intake.hpp"
#include "store/blob_record.hpp"
#include "store/copy.hpp"
#include "store/format.hpp"
#include "store/transaction_impl.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"
#include "world.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace tq::engine {

struct InDirectory {
  test::TempDir dir;
};

class FileWorld : public InDirectory, public World {
 public:
  FileWorld() : World(dir / "jobs.tq") {}
  std::string path() const { return dir / "jobs.tq"; }

  JobId add_with(const std::string& codec, std::string bytes, const EnqueueOptions& options = {},
                 std::string_view task = "work") {
    NewJob job =
        prepare(*environment, model::draft(task, {codec, std::move(bytes)}, options, clock.now(), kMaxBlobBytes));
    return change([&](Ledger& ledger) { return enqueue(ledger, std::move(job)); });
  }
  void save(const Claimed& claimed, std::string bytes) {
    store::PreparedBlob blob(*environment, std::move(bytes));
    change([&](Ledger& ledger) { save_state(ledger, key(claimed), std::move(blob)); });
  }
  Outcome succeeded_with(std::string bytes) const {
    Outcome outcome = succeeded();
    outcome.result_blob.emplace(*environment, std::move(bytes));
    return outcome;
  }
  // Through the intake; nothing takes it in. 0 if that cannot be.
  JobId add_to_intake(std::string payload = {}, const EnqueueOptions& options = {}, std::string_view task = "work") {
    environment->raise_intake(totals(read()).next_job);
    const auto job =
        to_intake(read(), model::draft(task, {"raw", std::move(payload)}, options, clock.now(), kMaxBlobBytes));
    return job ? environment->add_to_intake(job->record).number : 0;
  }
  void take_in() {
    change([](Ledger& ledger) { engine::take_in(ledger, 0); });
  }
};

// Jobs in every state, with blobs of every form, output, saved states, events, queues of every kind. By number:
//    1 ready, of negative priority · 2 scheduled with a deadline · 3 scheduled for a time · 4 running, with output, a saved
//    state and a blob for a payload · 5 retrying · 6 succeeded, kept for no time · 7 succeeded, its result in parts
//    8 succeeded, all in side files · 9 failed, its output has a gap · 10 cancelled · 11 expired · 12 of another task
//    13 a command · 14 running and asked to stop · 15 claimed ahead · 16 and 17 in a limited and in a paused queue
//    18 was removed · 19 came through the intake
class FullWorld : public FileWorld {
 public:
  WorkerId w = 0;

  FullWorld() {
    model::WorkerRecord record{.pid = 4711,
                               .pid_started = 17,
                               .guard_pid = 4712,
                               .token = "secret",
                               .host = "somewhere",
                               .started_ms = 5,
                               .concurrency = 4,
                               .max_crashes = 3,
                               .queues = {"default", "other"},
                               .tasks = {"work", "play"}};
    w = worker(record);
    add_with("raw", std::string("\xff\0\xfe", 3), {.priority = -7, .labels = {"a", "b"}});
    add({.delay = 1h, .expires_in = 2h});
    add({.at = kStart + 5h, .max_retries = 0});
    const Claimed running = start_alone({}, std::string(10'000, 'p'));
    write(running, "one\n\xff");
    write(running, "two");
    write(running, "three");
    save(running, std::string(5'000, 's'));
    finish(start_alone({.backoff = {.kind = Backoff::Kind::constant, .base = 1min, .jitter = 0}}), failed("\xff boom"));
    Outcome outcome = succeeded("{\"x\": 1}", "json");
    outcome.exit_code = -1;
    finish(start_alone({.timeout = 5s, .result_ttl = 0ms}), std::move(outcome));
    finish(start_alone(), succeeded_with(std::string(20'000, 'r')));
    const Claimed large = start_alone({}, std::string(100'000, 'P'));
    save(large, std::string(70'000, 'S'));
    finish(large, succeeded_with(std::string(200'000, 'R')));
    const Claimed talker = start_alone({.result_ttl = 24h});
    for (char c = 'a'; c < 'z'; ++c) write(talker, std::string(100, c), 1000);
    finish(talker, failed_for_good());
    cancel(add({.queue = "other"}), "not wanted");
    add({.expires_in = 1s});
    clock.advance(2s);
    fire_due();
    add_with("cereal", "\x80", {}, "play");
    add_with("command", "ls", {}, "exec");
    const Claimed stopping = start_alone();
    cancel(stopping.id, "enough");
    add({.priority = 100}, "play");
    claim({.worker = w, .tasks = {"play"}, .limit = 0, .ahead = 1});
    configure("limited", {.max_size = 5});
    add({.queue = "limited"});
    pause("paused");
    add({.queue = "paused"});
    cancel(add());
    remove(18);
    add_to_intake("from the intake");
    take_in();
  }

  Claimed start_alone(EnqueueOptions options = {}, std::string payload = {}) {
    options.priority = 100;
    return start(w, options, std::move(payload));
  }
};

// Random verbs, one after the other.
class RandomWorld : public FileWorld {
 public:
  void run(test::Random& random, std::size_t steps) {
    for (std::size_t i = 0; i < steps; ++i) {
      try {
        step(random);
      } catch (const NotFound&) {
      } catch (const Conflict&) {
      } catch (const QueueFull&) {
      }
    }
  }

 private:
  static std::string some_bytes(test::Random& random) {
    switch (random.below(20)) {
      case 0:
        return std::string(70'000 + random.below(1000), static_cast<char>(random.below(256)));
      case 1:
      case 2:
        return random.bytes(20'000);
      case 3:
        return random.bytes(3000);
      default:
        return random.bytes(60);
    }
  }

  EnqueueOptions some_options(test::Random& random) const {
    EnqueueOptions options;
    options.queue = random.pick(queues_);
    options.priority = static_cast<std::int32_t>(random.between(-3, 3));
    if (random.chance(20)) options.delay = Duration(random.below(60'000));
    if (random.chance(50)) options.max_retries = static_cast<std::uint32_t>(random.below(3));
    if (random.chance(20)) options.expires_in = Duration(1 + random.below(60'000));
    if (random.chance(20)) options.result_ttl = Duration(random.below(100'000'000));
    while (random.chance(30)) options.labels.push_back(random.chance(50) ? "a" : "b");
    return options;
  }

  void step(test::Random& random) {
    clock.advance(Duration(random.below(2000)));
    switch (random.below(16)) {
      case 0:
        if (workers_.size() < 3) workers_.push_back(worker());
        return;
      case 1:
        if (workers_.empty() || !random.chance(20)) return;
        rescue(workers_.back());
        return workers_.pop_back();
      case 2:
      case 3:
      case 4:
        add_with(random.pick(codecs_), some_bytes(random), some_options(random), random.pick(tasks_));
        return;
      case 5:
        add_to_intake(random.bytes(2000), some_options(random));
        return take_in();
      case 6:
      case 7:
        if (workers_.empty()) return;
        for (Claimed& job : World::claim({.worker = random.pick(workers_), .tasks = tasks_, .limit = 2, .ahead = 1})) {
          claimed_.push_back(std::move(job));
        }
        return;
      case 8:
      case 9:
        if (claimed_.empty()) return;
        finish_one(random, random.pick(claimed_));
        return;
      case 10:
        if (!claimed_.empty()) write(random.pick(claimed_), random.bytes(6000), 10'000, random.below(2) * 5);
        return;
      case 11:
        if (!claimed_.empty()) save(random.pick(claimed_), some_bytes(random));
        return;
      case 12:
        cancel(random.below(stats().enqueued + 1), random.text(20));
        return;
      case 13:
        return random.chance(50) ? retry(random.below(stats().enqueued + 1))
                                 : remove(random.below(stats().enqueued + 1));
      case 14:
        if (random.chance(50))
          return configure(random.pick(queues_), {.max_size = random.chance(70) ? 0 : random.below(30)});
        return random.chance(50) ? pause(random.pick(queues_)) : resume(random.pick(queues_));
      default:
        fire_due(10);
        return;
    }
  }

  void finish_one(test::Random& random, const Claimed& job) {
    switch (random.below(5)) {
      case 0:
        finish(job, failed(random.bytes(30)));
        return;
      case 1:
        finish(job, failed_for_good(random.bytes(30)));
        return;
      case 2:
        finish(job, snoozed(Duration(random.below(10'000))));
        return;
      case 3:
        finish(job, succeeded(random.bytes(1000), random.pick(codecs_)));
        return;
      default:
        finish(job, succeeded_with(std::string(2000 + random.below(80'000), 'r')));
        return;
    }
  }

  const std::vector<std::string> queues_ = {"red", "green", "blue"};
  const std::vector<std::string> tasks_ = {"work", "play"};
  const std::vector<std::string> codecs_ = {"raw", "json", "cereal", "command"};
  std::vector<WorkerId> workers_;
  std::vector<Claimed> claimed_;
};

// What is in a store, but for how it is written down: the names of side files, the room in a record, what is known of workers
// that a copy does not know, and how far the intake has been taken in.
inline std::map<std::string, std::string> contents(const store::Transaction& txn) {
  std::map<std::string, std::string> contents;
  for (const Tree tree : {Tree::catalog, Tree::jobs, Tree::index, Tree::events, Tree::logs, Tree::blobs}) {
    store::visit_tree(txn, tree, [&](std::string_view key, std::optional<std::string_view> value, std::string_view) {
      if (tree == Tree::catalog && key == store::intake_key()) return;
      BOOST_TEST_REQUIRE(value.has_value());
      const auto kind = static_cast<std::uint8_t>(key.front());
      std::string bytes(*value);
      if (tree == Tree::jobs) bytes = model::encode(model::decode_job(bytes));
      if (tree == Tree::catalog && kind == WorkerKey::kKind) {
        model::WorkerRecord record = model::decode_worker(bytes);
        clear_copied_worker(record);
        bytes = model::encode(record);
      }
      if (tree == Tree::blobs && kind == store::BlobKey::kKind) {
        const auto blob = store::decode_key<store::BlobKey>(key);
        bytes = store::get_blob(txn, blob.job, static_cast<store::BlobKind>(blob.kind)).value();
      }
      std::string name = store::kTreeNames[static_cast<std::size_t>(tree)];
      for (const char byte : key) name += fmt::format(" {:02x}", static_cast<unsigned char>(byte));
      contents[name] = std::move(bytes);
    });
  }
  return contents;
}

// Fails for each record that is not in both, or not the same.
inline void check_same(const World& left, const World& right) {
  const auto here = contents(left.read());
  const auto there = contents(right.read());
  for (const auto& [key, value] : here) {
    const auto found = there.find(key);
    if (found == there.end()) {
      BOOST_ERROR("is missing: " << key);
    } else if (found->second != value) {
      BOOST_ERROR("is different: " << key);
    }
  }
  for (const auto& [key, value] : there) {
    if (!here.contains(key)) BOOST_ERROR("is too much: " << key);
  }
}

}  // namespace tq::engine
