// A typed task with retries: the payload is a struct, and the third attempt succeeds.
#include <tq/tq.hpp>
#include <tq/typed.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

namespace {

struct Resize {
  static constexpr std::string_view kTask = "resize";
  std::string path;
  int width = 0;

  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(path), CEREAL_NVP(width));
  }
};

std::string resize(const Resize& job, tq::Context& context) {
  std::cout << "attempt " << context.attempt() << ": " << job.path << " to " << job.width << " pixels\n";
  if (context.attempt() < 3) throw std::runtime_error("the image server is busy");
  return job.path + " is " + std::to_string(job.width) + " pixels wide";
}

}  // namespace

int main() try {
  tq::TaskQueue queue("typed.tq");
  const tq::JobId id = queue.enqueue(Resize{"a.png", 640}, {.max_retries = 5, .backoff = {.base = 10ms}});

  tq::Worker worker(queue);
  worker.handle<Resize>(resize);
  worker.start();  // on a thread of its own
  const auto result = queue.wait(id, 30s);
  worker.stop();
  worker.join();

  if (!result) {
    std::cerr << "job " << id << " is not done yet\n";
    return 1;
  }
  std::cout << to_string(result->state) << ": " << result->value.bytes << '\n';
  for (const tq::Event& event : queue.events({.job = id})) {
    std::cout << "  " << to_string(event.type) << (event.text.empty() ? "" : ": ") << event.text << '\n';
  }
  return 0;
} catch (const tq::Error& error) {
  std::cerr << "typed: " << error.what() << '\n';
  return 1;
}
