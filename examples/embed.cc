// A durable queue inside a command-line tool. `add` returns at once, whether or not anyone is working; `work` counts
// words until nothing is left, in as many processes at once as you like; `list` shows what became of each file. Kill any
// of them whenever you like: what was added gets done, and nothing is done twice at once.
#include <tq/tq.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <string>

namespace {

// The handler: gets the payload as it was added, returns the job's result. What it throws is a failed attempt.
tq::Payload count_words(const tq::Payload& path, tq::Context&) {
  std::ifstream file(path.bytes);
  if (!file) throw tq::Verdict::fail("cannot read " + path.bytes);  // it will not get better by itself: no retries
  const auto words = std::distance(std::istream_iterator<std::string>(file), {});
  return {"raw", std::to_string(words)};
}

void add(tq::TaskQueue& queue, std::span<char*> files) {
  for (const std::filesystem::path file : files) {
    const tq::JobId id = queue.enqueue("count-words", {"raw", std::filesystem::absolute(file)});
    std::cout << "job " << id << ": " << file.string() << '\n';
  }
}

void work(tq::TaskQueue& queue) {
  tq::Worker worker(queue, {.concurrency = 2, .drain = true});
  worker.handle("count-words", count_words);
  std::cout << worker.run() << " files counted\n";
}

void list(const tq::TaskQueue& queue) {
  auto jobs = queue.list({.task = "count-words", .limit = 1000});
  std::ranges::reverse(jobs);  // they come newest first
  for (const tq::JobInfo& job : jobs) {
    std::cout << "job " << job.id << ": " << to_string(job.state);
    if (const auto result = queue.result(job.id)) {
      std::cout << ", " << (job.state == tq::State::succeeded ? result->value.bytes + " words" : result->error);
    }
    std::cout << '\n';
  }
}

}  // namespace

int main(int argc, char* argv[]) try {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb != "add" && verb != "work" && verb != "list") {
    std::cerr << "usage: embed add FILE... | work | list\n";
    return 2;
  }
  tq::TaskQueue queue("embed.tq");  // opens the store, or creates it
  if (verb == "add") add(queue, std::span(argv, static_cast<std::size_t>(argc)).subspan(2));
  if (verb == "work") work(queue);
  if (verb == "list") list(queue);
  return 0;
} catch (const tq::Error& error) {
  std::cerr << "embed: " << error.what() << '\n';
  return 1;
}
