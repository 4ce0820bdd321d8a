#include "base/time_text.hpp"
#include "cli/ids.hpp"
#include "cli/job_picture.hpp"
#include "cli/job_text.hpp"
#include "cli/json_text.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"

namespace tq::cli {
namespace {

class Printer {
 public:
  explicit Printer(Session& session) : session_(session) {}

  void print(const JobPicture& picture) {
    print_head(picture);
    print_options(picture.job);
    print_times(picture.job);
    print_reasons(picture.reasons);
    print_attempts(picture.attempts);
    print_events(picture.events);
  }

 private:
  void line(std::string_view name, std::string_view value) {
    const std::string title = session_.out_terminal().paint(Colour::dim, fmt::format("{:<11}", name));
    session_.out().line(fmt::format("  {}{}", title, printable(value)));
  }

  void title(std::string_view text) { session_.out().line(session_.out_terminal().paint(Colour::bold, text)); }

  void print_head(const JobPicture& picture) {
    const JobInfo& job = picture.job;
    const std::string state = session_.out_terminal().paint(colour_of(job.state), to_string(job.state));
    session_.out().line(fmt::format("job {}: {}{}", job.id, state, job.cancel_requested ? ", asked to stop" : ""));
    if (!job.error.empty()) line("error", job.error);
    if (job.exit_code && !job.cancel_requested) line("exit code", std::to_string(*job.exit_code));
    if (picture.command) {
      line("command", command_line(picture.command->argv));
      line("directory", picture.command->cwd);
      if (!picture.command->stdin_data.empty()) line("stdin", byte_count(picture.command->stdin_data.size()));
    } else {
      line("task", job.task);
      line("payload", payload_line(picture));
    }
  }

  static std::string payload_line(const JobPicture& picture) {
    std::string size = fmt::format("{} ({})", byte_count(picture.job.payload_bytes), picture.job.codec);
    if (!picture.payload || picture.payload->codec != "json") return size;
    return one_line(picture.payload->bytes);
  }

  void print_options(const JobInfo& job) {
    line("queue", job.queue);
    if (job.priority != 0) line("priority", std::to_string(job.priority));
    if (!job.labels.empty()) line("labels", joined(job.labels));
    line("attempts", fmt::format("{} of at most {}", job.attempt, std::uint64_t{job.max_retries} + 1));
    if (job.crashes != 0) line("crashes", std::to_string(job.crashes));
    if (job.max_retries != 0) line("backoff", backoff_line(job.backoff));
    if (job.timeout != Duration::zero()) line("timeout", base::format_duration(job.timeout));
    if (job.result_ttl) line("kept for", base::format_duration(*job.result_ttl));
    if (job.worker != 0) line("worker", std::to_string(job.worker));
    if (job.result_bytes != 0) line("result", byte_count(job.result_bytes));
    if (job.log_bytes != 0) line("output", byte_count(job.log_bytes));
    if (job.log_dropped_bytes != 0) line("dropped", byte_count(job.log_dropped_bytes) + " of output, from its middle");
  }

  static std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts) all.append(all.empty() ? "" : ", ").append(text);
    return all;
  }

  static std::string backoff_line(const Backoff& backoff) {
    if (backoff.kind == Backoff::Kind::constant) return "const:" + base::format_duration(backoff.base);
    return fmt::format("exp:{}..{}", base::format_duration(backoff.base), base::format_duration(backoff.cap));
  }

  void print_times(const JobInfo& job) {
    line("added", local_time(job.enqueued));
    if (job.due && *job.due != job.enqueued) line("due", local_time(*job.due));
    if (job.expires) line("expires", local_time(*job.expires));
    if (job.started) line("started", local_time(*job.started));
    if (!job.finished) return;
    const std::string lasted = job.started ? fmt::format(" (took {})", took(*job.finished - *job.started)) : "";
    line("finished", local_time(*job.finished) + lasted);
  }

  void print_reasons(const std::vector<Reason>& reasons) {
    if (reasons.empty()) return;
    title("why it is not running");
    for (const Reason& reason : reasons) session_.out().line("  " + printable(reason.text));
  }

  void print_attempts(const std::vector<AttemptPicture>& attempts) {
    if (attempts.empty()) return;
    title("attempts");
    Table table({{"", true}, {""}, {"", true}, {""}, {""}});
    for (const AttemptPicture& attempt : attempts) {
      table.row({{std::to_string(attempt.number)},
                 {local_time(attempt.started)},
                 {attempt.ended ? took(*attempt.ended - attempt.started) : ""},
                 {attempt.outcome},
                 {attempt.text}});
    }
    table.print(session_.out(), session_.out_terminal(), false, 2);
  }

  void print_events(const std::vector<Event>& events) {
    if (events.empty()) return;
    title("events");
    Table table({{"", true}, {""}, {""}, {""}});
    for (const Event& event : events) {
      const bool is_progress = event.type == EventType::progress;
      const std::string percent = is_progress ? fmt::format("{:.0f} % ", event.fraction * 100) : "";
      table.row({{std::to_string(event.seq)},
                 {local_time(event.time)},
                 {std::string(to_string(event.type))},
                 {percent + event.text}});
    }
    table.print(session_.out(), session_.out_terminal(), false, 2);
  }

  Session& session_;
};

class Show : public Verb {
 public:
  void declare(Parameters& parameters) override { ids_.declare(parameters); }

  int run(Session& session) override {
    const TaskQueue& store = session.store();
    bool is_first = true;
    return for_each_job(ids_.in(store), [&](JobId id) {
      const JobPicture picture = look_at(store, id);
      if (session.json()) {
        session.out().line(to_json(picture).text());
        return;
      }
      if (!is_first) session.out().line("");
      is_first = false;
      Printer(session).print(picture);
    });
  }

 private:
  Ids ids_;
};

}  // namespace

std::unique_ptr<Verb> make_show() { return std::make_unique<Show>(); }

}  // namespace tq::cli
