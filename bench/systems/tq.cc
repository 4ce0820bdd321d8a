// tq, through its contract alone.
#include "system.hpp"

#include <tq/tq.hpp>
#include <tq/typed.hpp>

namespace {

struct Measure {
  static constexpr std::string_view kTask = "measure";
  std::string bytes;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(bytes));
  }
};

// Its payloads are typed where the run is measured, else the bytes themselves.
class Producer : public bench::Client {
 public:
  Producer(tq::TaskQueue& queue, bool typed) : queue_(queue), typed_(typed) {}
  void enqueue(std::span<const std::string> payloads) override {
    if (payloads.size() == 1) {
      queue_.enqueue(Measure::kTask, payload(payloads[0]));
      return;
    }
    std::vector<tq::JobSpec> jobs;
    jobs.reserve(payloads.size());
    for (const std::string& bytes : payloads) jobs.push_back({std::string(Measure::kTask), payload(bytes), {}});
    queue_.enqueue_many(jobs);
  }

 private:
  tq::Payload payload(const std::string& bytes) const {
    return typed_ ? tq::encode(Measure{bytes}) : tq::Payload{"raw", bytes};
  }

  tq::TaskQueue& queue_;
  bool typed_;
};

class Tq : public bench::System {
 public:
  explicit Tq(const bench::Options& options) : queue_(options.path), typed_(options.measure != "enqueue") {}
  std::unique_ptr<bench::Client> client() override { return std::make_unique<Producer>(queue_, typed_); }
  std::uint64_t unfinished() override {
    std::uint64_t jobs = 0;
    for (const tq::QueueInfo& queue : queue_.queues()) jobs += queue.unfinished();
    return jobs;
  }
  void work(bench::Work& work, const bench::Options& options) override {
    const tq::Payload result{"raw", std::string(options.result_bytes, 'x')};
    tq::Worker worker(queue_, {.concurrency = static_cast<std::uint32_t>(options.slots), .drain = !work.waits()});
    worker.handle(Measure::kTask, [&](const tq::Payload& payload, tq::Context&) {
      if (work.begin(payload.codec == "raw" ? payload.bytes : tq::decode<Measure>(payload).bytes)) worker.stop();
      return result;
    });
    worker.run();
  }

 private:
  tq::TaskQueue queue_;
  bool typed_;
};

}  // namespace

std::unique_ptr<bench::System> bench::open_system(const Options& options) { return std::make_unique<Tq>(options); }
