#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fcntl.h>

namespace tq::test {
namespace {

std::string tq_binary() {
  const char* const path = std::getenv("TQ_BIN");
  BOOST_REQUIRE_MESSAGE(path != nullptr, "TQ_BIN must be the path of tq");
  return path;
}

}  // namespace

Sandbox::Sandbox() {
  env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"HOME", dir_.path()}, {"TZ", "UTC"}, {"TQ_FILE", dir_ / "jobs.tq"}};
  for (const char* const name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LLVM_PROFILE_FILE"}) {
    if (const char* const value = std::getenv(name)) env[name] = value;
  }
}

Sandbox::~Sandbox() {
  if (!checks_at_end || !std::filesystem::exists(store())) return;
  const Ended ended = tq({"check", "--deep"});
  TQ_CHECK_ENDED(ended, 0);
}

void Sandbox::write(std::string_view name, const std::string& bytes) const {
  const auto fd = base::open_file(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  base::write_all(fd.get(), bytes, path(name));
}

std::string Sandbox::read(std::string_view name) const {
  const auto fd = base::open_file(path(name), O_RDONLY);
  return base::read_all(fd.get(), path(name));
}

Start Sandbox::how(Words arguments, std::string input) const {
  Start start;
  start.argv = std::move(arguments);
  start.argv.insert(start.argv.begin(), tq_binary());
  start.env = env;
  start.cwd = dir_.path();
  start.input = std::move(input);
  return start;
}

std::string Sandbox::ok(Words arguments, std::string input) const {
  const Ended ended = tq(std::move(arguments), std::move(input));
  TQ_CHECK_ENDED(ended, 0);
  return ended.out;
}

std::string Sandbox::add_sh(const std::string& script, Words options) const {
  Words words{"add"};
  words.insert(words.end(), options.begin(), options.end());
  words.insert(words.end(), {"--", "sh", "-c", script});
  std::string id = ok(words);
  BOOST_REQUIRE(id.ends_with('\n'));
  id.pop_back();
  return id;
}

void Sandbox::drain() const { ok({"worker", "--drain", "-j", "2"}); }

void Sandbox::drain_task(const std::string& task, Handler handler) const {
  TaskQueue queue{std::filesystem::path(store())};
  WorkerOptions options;
  options.drain = true;
  Worker worker(queue, options);
  worker.handle(task, std::move(handler));
  worker.run();
}

void Sandbox::wait_for(const std::string& type, EventSeq after) const {
  Process events = start({"events", "-f", "--from", std::to_string(after + 1), "--type", type});
  events.read_until(type);
}

BackgroundWorker::BackgroundWorker(const Sandbox& sandbox, Words options)
    : process_([&] {
        const TaskQueue made{std::filesystem::path(sandbox.store())};  // for events, which only look
        before_ = made.stats().last_event;
        options.insert(options.begin(), "worker");
        return sandbox.start(options);
      }()) {
  sandbox.wait_for("worker_started", before_);
}

BackgroundWorker::~BackgroundWorker() {
  process_.signal(SIGTERM);
  process_.signal(SIGINT);  // another signal, so that it is not merged with the first: at once
  TQ_CHECK_ENDED(process_.finish(), 0);
}

void check_refused(const Ended& ended, int code, const std::string& words) {
  BOOST_TEST_INFO(ended);
  BOOST_TEST(ended.code == code);
  BOOST_TEST_INFO(ended);
  BOOST_TEST(contains(ended.err, words), "expected '" << words << "' in '" << ended.err << "'");
  BOOST_TEST(ended.out == "");
  BOOST_TEST(ended.err.starts_with("tq: "));
  BOOST_TEST(lines(ended.err).size() == 1u, "one sentence: " << ended.err);
}

Words lines(const std::string& text) {
  Words all;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    all.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return all;
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace tq::test
