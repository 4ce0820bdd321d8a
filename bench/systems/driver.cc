// DRIVER MEASURE [--NAME VALUE]... PATH
//
// The main program of each driver: does one measurement with its system (system.hpp), checks that every job is there, or
// was run exactly once, and prints one line of JSON. Whatever opens the system is a child process, as none of them may be
// used after a fork.
#include "board.hpp"
#include "children.hpp"
#include "payloads.hpp"
#include "system.hpp"

#include <cinttypes>
#include <map>
#include <stdexcept>
#include <thread>
#include <unistd.h>

namespace bench {

std::vector<std::string> Client::next(std::size_t, bool) { throw std::logic_error("it takes no jobs this way"); }

void System::work(Work& work, const Options& options) {
  std::vector<std::thread> slots;
  for (std::size_t i = 0; i < options.slots; ++i) {
    slots.emplace_back([&] {
      const auto client = this->client();
      while (true) {
        const auto jobs = client->next(work.enough() ? 0 : options.batch, work.waits());
        for (const std::string& job : jobs) work.begin(job);
        if (jobs.empty() && (work.enough() || !work.waits())) return;
      }
    });
  }
  for (auto& slot : slots) slot.join();
}

namespace {

class SharedWork : public Work {
 public:
  SharedWork(Board& board, std::uint64_t limit, bool latency) : board_(board), limit_(limit), latency_(latency) {}
  bool begin(std::string_view payload) override {
    const std::int64_t now = now_ns();
    const std::uint64_t entry = latency_ ? static_cast<std::uint64_t>(now - board_.sent_ns) : Payloads::number(payload);
    const bool last = board_.add(entry) >= limit_;
    if (latency_) sem_post(&board_.begun);
    return last;
  }
  bool enough() const override { return board_.size() >= limit_; }
  bool waits() const override { return latency_; }

 private:
  Board& board_;
  std::uint64_t limit_;
  bool latency_;
};

void produce(Board& board, System& system, const Options& options, const Payloads& payloads, std::uint64_t producer) {
  const std::uint64_t share = options.count / (options.processes * options.threads);
  const auto client = system.client();
  board.start(options.disk);
  const auto until = board.start_ns() + static_cast<std::int64_t>(options.seconds * 1e9);
  std::uint64_t added = 0;
  while (added < share && now_ns() < until) {
    const auto batch = payloads.make(producer, added, std::min<std::size_t>(options.batch, share - added));
    client->enqueue(batch);
    added += batch.size();
  }
  board.finish(options.disk);
  board.added += added;
}

void run_producers(Board& board, const Options& options) {
  const Payloads payloads(options.processes * options.threads);
  Bodies bodies;
  for (std::size_t process = 0; process < options.processes; ++process) {
    bodies.emplace_back([&, process] {
      const auto system = open_system(options);
      std::vector<std::thread> producers;
      for (std::size_t i = 0; i < options.threads; ++i) {
        producers.emplace_back([&, i] { produce(board, *system, options, payloads, process * options.threads + i); });
      }
      for (auto& producer : producers) producer.join();
    });
  }
  run_processes(bodies);
}

void note_memory(Board& board) {
  std::ifstream file("/proc/self/status");
  std::map<std::string, std::uint64_t> kilobytes;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with(" kB")) kilobytes[line.substr(0, line.find(':'))] = std::stoull(line.substr(line.find(':') + 1));
  }
  board.resident_kb = std::max<std::uint64_t>(board.resident_kb, kilobytes["VmRSS"]);
  board.anonymous_kb = std::max<std::uint64_t>(board.anonymous_kb, kilobytes["RssAnon"]);
}

void run_workers(Board& board, const Options& options) {
  SharedWork work(board, options.count, false);
  run_processes(Bodies(options.processes, [&] {
    const auto system = open_system(options);
    board.start(options.disk);
    system->work(work, options);
    board.finish(options.disk);
    note_memory(board);
  }));
}

// Jobs that come before those that are timed, in which files are made and caches filled.
constexpr std::uint64_t kWarmUp = 10;

// One process enqueues, another runs: never the next job before the one before has long begun.
void run_latency(Board& board, const Options& options) {
  const std::uint64_t jobs = kWarmUp + options.count;
  SharedWork work(board, jobs, true);
  const auto worker = [&] { open_system(options)->work(work, options); };
  const auto producer = [&] {
    const auto system = open_system(options);
    const auto client = system->client();
    const Payloads payloads(1);
    for (std::uint64_t i = 0; i < jobs; ++i) {
      ::usleep(i == 0 ? 300'000 : 5'000);
      board.sent_ns = now_ns();
      client->enqueue(payloads.make(0, i, 1));
      while (sem_wait(&board.begun) != 0) {
      }
    }
  };
  run_processes({worker, producer});
}

std::uint64_t unfinished(const Options& options) {
  Board& board = Board::make(1, 0);
  run_processes({[&] { board.unfinished = open_system(options)->unfinished(); }});
  return board.unfinished;
}

// Of the store and what lies beside it under its name.
std::uint64_t file_bytes(const std::filesystem::path& path) {
  std::uint64_t bytes = 0;
  if (!std::filesystem::exists(path)) return 0;
  for (const auto& entry : std::filesystem::directory_iterator(path.parent_path())) {
    if (entry.is_regular_file() && entry.path().filename().string().starts_with(path.filename().string()))
      bytes += entry.file_size();
  }
  return bytes;
}

void expect(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "wrong: %s\n", what);
  std::exit(1);
}

void fill(const Options& options) {
  Options bulk = options;
  bulk.batch = 1000;
  bulk.threads = bulk.processes = 1;
  bulk.seconds = 1e9;
  run_producers(Board::make(1, 0), bulk);
}

void print_rate(const Board& board, const Options& options, std::uint64_t jobs, std::uint64_t growth) {
  const Disk disk = board.written();
  const double each = 1.0 / static_cast<double>(std::max<std::uint64_t>(jobs, 1));
  std::printf(R"({"measure": "%s", "jobs": %)" PRIu64 R"(, "seconds": %.6f, "jobs_per_second": %.3f, )"
              R"("flushes_per_job": %.5f, "device_bytes_per_job": %.1f, "file_bytes_per_job": %.1f)",
              options.measure.c_str(), jobs, board.seconds(), static_cast<double>(jobs) / board.seconds(),
              static_cast<double>(disk.flushes) * each, static_cast<double>(disk.bytes) * each,
              static_cast<double>(growth) * each);
  if (board.resident_kb > 0) {
    std::printf(R"(, "resident_mb": %.3f, "anonymous_mb": %.3f)", static_cast<double>(board.resident_kb) / 1024,
                static_cast<double>(board.anonymous_kb) / 1024);
  }
  std::printf("}\n");
}

void measure_enqueue(const Options& options) {
  const std::uint64_t before = unfinished(options);
  const std::uint64_t bytes_before = file_bytes(options.path);
  Board& board = Board::make(static_cast<unsigned>(options.processes * options.threads), 0);
  run_producers(board, options);
  expect(unfinished(options) - before == board.added, "not every job is there");
  print_rate(board, options, board.added, file_bytes(options.path) - bytes_before);
}

void measure_process(const Options& options) {
  unfinished(options);  // opens it, so that it is there
  const std::uint64_t bytes_before = file_bytes(options.path);
  fill(options);
  const std::uint64_t before = unfinished(options);
  Board& board = Board::make(static_cast<unsigned>(options.processes), before);
  run_workers(board, options);
  const auto numbers = board.kept();
  std::sort(numbers.begin(), numbers.end());
  expect(std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end(), "a job was run twice");
  expect(board.size() >= options.count, "not every job was run");
  expect(before - unfinished(options) == board.size(), "what was run is not what was completed");
  print_rate(board, options, board.size(), file_bytes(options.path) - bytes_before);
}

void measure_latency(const Options& options) {
  unfinished(options);
  Board& board = Board::make(1, kWarmUp + options.count);
  run_latency(board, options);
  expect(unfinished(options) == 0, "not every job was completed");
  std::printf(R"({"measure": "latency", "samples_us": [)");
  for (std::size_t i = kWarmUp; i < board.kept().size(); ++i)
    std::printf("%s%.1f", i == kWarmUp ? "" : ", ", static_cast<double>(board.kept()[i]) / 1e3);
  std::printf("]}\n");
}

Options parse(int argc, char* argv[]) {
  Options options;
  if (argc < 3 || argc % 2 == 0) throw std::invalid_argument("usage: DRIVER MEASURE [--NAME VALUE]... PATH");
  options.measure = argv[1];
  options.path = argv[argc - 1];
  for (int i = 2; i + 1 < argc - 1; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    if (name == "--mode")
      options.mode = value;
    else if (name == "--disk")
      options.disk = value;
    else if (name == "--count")
      options.count = std::stoull(value);
    else if (name == "--seconds")
      options.seconds = std::stod(value);
    else if (name == "--batch")
      options.batch = std::stoull(value);
    else if (name == "--threads")
      options.threads = std::stoull(value);
    else if (name == "--processes")
      options.processes = std::stoull(value);
    else if (name == "--slots")
      options.slots = std::stoull(value);
    else if (name == "--result-bytes")
      options.result_bytes = std::stoull(value);
    else
      throw std::invalid_argument("no such option: " + std::string(name));
  }
  if (options.disk.empty()) options.disk = options.path;
  return options;
}

}  // namespace
}  // namespace bench

int main(int argc, char* argv[]) try {
  const bench::Options options = bench::parse(argc, argv);
  if (options.measure == "fill")
    bench::fill(options);
  else if (options.measure == "enqueue")
    bench::measure_enqueue(options);
  else if (options.measure == "process")
    bench::measure_process(options);
  else if (options.measure == "latency")
    bench::measure_latency(options);
  else
    throw std::invalid_argument("no such measure: " + options.measure);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
