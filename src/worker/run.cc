#include "worker/run.hpp"

#include "engine/due.hpp"
#include "engine/steer.hpp"
#include "engine/workers.hpp"
#include "loop/watch.hpp"
#include "store/blob.hpp"
#include "worker/command_attempt.hpp"
#include "worker/handler_attempt.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <sys/random.h>
#include <unistd.h>
#include <utility>

namespace tq::worker {
namespace {

// How long output waits for more of its kind before it is stored.
constexpr Duration kNewsDelay{100};
// With work ahead, what has ended waits so long for more of its kind, but no more than so many, or as many as are still
// waiting: it would run again if the worker were killed meanwhile.
constexpr Duration kTurnDelay{10};
constexpr std::size_t kTurnEnds = 32;
// Retention is applied along the way; for it alone a worker wakes up no more often than this.
constexpr Duration kKeepDelay = std::chrono::minutes{1};

// 128 random bits in hex: tells the commands of this worker from all others on the machine.
std::string make_token() {
  unsigned char bytes[16];
  if (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) base::throw_system("cannot get random bytes", errno);
  std::string token;
  for (const unsigned char byte : bytes) token += fmt::format("{:02x}", byte);
  return token;
}

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

Run::Run(TaskQueue::Impl& queue, const WorkerOptions& options, const Handlers& handlers, loop::EventLoop& loop)
    : queue_(queue),
      options_(options),
      handlers_(handlers),
      loop_(loop),
      mailbox_(std::make_shared<Mailbox>(loop)),
      pool_(options.concurrency, [this, mailbox = mailbox_] { mailbox->post([this] { handlers_ended(); }); }),
      ahead_(options.concurrency),
      news_timer_(loop,
                  [this] {
                    news_are_due_ = true;
                    consider_turn();
                  }),
      turn_timer_(loop,
                  [this] {
                    turn_is_late_ = true;
                    take_reports();
                    consider_turn();
                  }),
      ahead_timer_(loop, [this] { watch_ahead(); }),
      grace_timer_(loop, [this] { interrupt_all(); }),
      wake_up_(loop,
               [this] {
                 is_due_ = true;
                 consider_turn();
               }),
      peers_(loop, queue, [this](WorkerId worker, std::string how) {
        dead_.emplace(worker, std::move(how));
        consider_turn();
      }) {
  join_store();
}

Run::~Run() {
  // In this order: nobody reports any more, nothing runs any more, and only then it counts as dead.
  bell_.reset();
  turns_.reset();
  attempts_.clear();
  guard_.reset();
  mailbox_->close();
  lock_.reset();
  if (error_) queue_.bell->ring(loop::kTopicWorkers);  // whoever rescues what it had in hand
}

// --- in the store -------------------------------------------------------------------------------------------------------

void Run::join_store() {
  queue_.rescue_dead();
  store::collect_side_files(*queue_.environment);
  record_.pid = ::getpid();
  record_.pid_started = loop::process_started(record_.pid);
  record_.host = host_name();
  record_.started_ms = base::to_ms(queue_.clock->now());
  record_.concurrency = options_.concurrency;
  record_.max_crashes = options_.max_crashes;
  record_.queues = options_.queues;
  for (const auto& [task, handler] : handlers_) record_.tasks.push_back(task);
  if (options_.commands) {
    record_.tasks.emplace_back(kExecTask);
    record_.token = make_token();
  }
  queue_.change(Room::spared, [&](engine::Ledger& ledger) {
    id_ = engine::register_worker(ledger, record_);
    lock_ = queue_.environment->locks().hold_worker(id_);
  });
  // Its place among the notes of what has begun may be another's, if there are very many: then nothing is claimed ahead.
  const WorkerId owner = queue_.begun().owner(id_);
  const bool is_free = owner == 0 || !queue_.environment->locks().worker_alive(owner);
  may_note_begun_ = is_free && options_.concurrency <= Begun::kMost;
  if (may_note_begun_) queue_.begun().take_place(id_);
  if (options_.commands) start_guard();
}

void Run::leave_store() {
  // The last of its outcomes have been stored by a turn; what is left was interrupted.
  queue_.change(Room::spared, [&](engine::Ledger& ledger) { engine::unregister_worker(ledger, id_); });
}

void Run::start_guard() {
  loop::Guard::Options options;
  options.inherit_fd = lock_.get();
  options.token = record_.token;
  options.own_process = options_.own_process;
  options.died = [this] { guard_died(); };
  guard_ = std::make_unique<loop::Guard>(loop_, std::move(options));
  // Nothing is claimed before this is stored: the turn that claims first writes it.
  record_.guard_pid = guard_->pid();
  record_changed_ = true;
}

void Run::guard_died() {
  guard_is_lost_ = true;
  // All its commands have been reported as lost. A new one starts from outside its callback.
  loop_.post([this] {
    guard_.reset();
    start_guard();
    guard_is_lost_ = false;
    may_claim_ = true;
    start_ahead();
    consider_turn();
  });
}

// --- the loop -----------------------------------------------------------------------------------------------------------

std::uint64_t Run::run() {
  turns_ = std::make_unique<TurnThread>(queue_, id_, options_.max_crashes, [this](TurnOutput output) {
    auto shared = std::make_shared<TurnOutput>(std::move(output));
    loop_.post([this, shared] { turn_done(std::move(*shared)); });
  });
  bell_ = std::make_unique<loop::BellThread>(*queue_.bell, topics(), [this] { loop_.post([this] { rung(); }); });
  peers_.refresh(id_);
  consider_turn();
  run_loop();
  bell_.reset();
  turns_.reset();
  if (error_) std::rethrow_exception(error_);
  guard_.reset();
  leave_store();
  return attempts_started_;
}

// What a callback throws ends the run, but not before nothing runs any more.
void Run::run_loop() {
  for (bool ended = false; !ended;) {
    try {
      loop_.run();
      ended = true;
    } catch (...) {
      fail_with(std::current_exception());
    }
  }
}

loop::Topics Run::topics() const {
  loop::Topics topics = loop::kTopicWorkers;
  const auto txn = queue_.environment->read();
  for (const std::string& name : options_.queues) {
    const auto queue = engine::find_queue(txn, name);
    if (!queue) return topics | loop::kTopicAnyQueue;  // its number, and so its topic, is not known yet
    topics |= loop::topic_of_queue(*queue);
  }
  return options_.queues.empty() ? topics | loop::kTopicAnyQueue : topics;
}

void Run::rung() {
  const bool is_pending = queue_.environment->intake_is_pending();
  is_due_ = is_due_ || is_pending;  // it may hold what is due soon
  look_for_news_of_workers();
  {
    const auto txn = queue_.environment->read();
    // Of many workers that were woken for one job, most come too late for it.
    may_claim_ = may_claim_ || is_pending || engine::has_ready(txn, options_.queues);
    // A new job may be due before what the timer waits for.
    const std::optional<Time> next_due = engine::next_due(txn);
    is_due_ = is_due_ || (next_due && *next_due <= queue_.clock->now());
    set_wake_up(next_due, engine::next_keep(txn));
  }
  consider_turn();
}

void Run::look_for_news_of_workers() {
  const std::uint32_t rings = queue_.bell->worker_rings();
  if (std::exchange(worker_rings_, rings) == rings) return;
  peers_.refresh(id_);
  look_for_cancels();
}

void Run::look_for_cancels() {
  if (attempts_.empty() && ahead_.empty()) return;
  std::vector<std::pair<Attempt*, int>> running;
  std::vector<JobId> waiting;
  {
    const auto txn = queue_.environment->read();
    const auto request_for = [&](JobId id) -> std::optional<engine::CancelRequest> {
      const auto bytes = store::get(txn, engine::JobKey{id});
      if (!bytes) return std::nullopt;
      return engine::cancel_request(model::decode_job_header(*bytes));
    };
    for (const auto& [id, attempt] : attempts_) {
      if (const auto request = request_for(id)) running.emplace_back(attempt.get(), request->signal);
    }
    for (const engine::Claimed& job : ahead_.jobs()) {
      if (request_for(job.id)) waiting.push_back(job.id);
    }
  }
  for (const auto& [attempt, signal] : running) {
    if (withdraw(*attempt)) {
      attempts_.erase(attempt->claimed().id);
    } else {
      attempt->stop(Attempt::Stop::cancel, signal);
    }
  }
  for (const JobId id : waiting) give_back(ahead_.take(id));
}

// --- attempts -----------------------------------------------------------------------------------------------------------

std::unique_ptr<Attempt> Run::make_attempt(engine::Claimed claimed) {
  const std::uint64_t log_limit = queue_.options.log_bytes_per_job;
  if (const auto handler = handlers_.find(claimed.task); handler != handlers_.end()) {
    return std::make_unique<HandlerAttempt>(loop_, std::move(claimed), id_, log_limit, pool_, mailbox_, queue_,
                                            handler->second);
  }
  pool_.set_limit(options_.concurrency - std::min<std::size_t>(++commands_, options_.concurrency));
  return std::make_unique<CommandAttempt>(loop_, std::move(claimed), id_, log_limit, *guard_, queue_);
}

void Run::start(engine::Claimed claimed) {
  const JobId id = claimed.id;
  ++attempts_started_;
  Attempt& attempt = *(attempts_[id] = make_attempt(std::move(claimed)));
  AttemptEvents events;
  events.ended = [this, id](engine::Outcome outcome, bool crashed) {
    attempt_ended(id, std::move(outcome), crashed);
    if (takes_reports_) return;
    start_ahead();
    consider_turn();
  };
  events.has_news = [this] { has_news(); };
  try {
    attempt.begin(std::move(events), options_.kill_grace);
  } catch (...) {
    attempts_.erase(id);  // it will not end
    throw;
  }
}

// A handler waits for its turn in the pool, a command here.
void Run::claim_ahead(engine::Claimed claimed) {
  ++claimed.record.header.attempt;  // as it will be when it has begun
  handlers_.contains(claimed.task) ? start(std::move(claimed)) : ahead_.push(std::move(claimed));
}

// Into the slots that are free.
void Run::start_ahead() {
  while (!ahead_.empty() && free_slots() != 0) start(ahead_.pop());
  const bool waits = !ahead_.empty() || pool_.waiting() != 0;
  waits ? ahead_timer_.start(Ahead::kPatience) : ahead_timer_.cancel();
}

// What was claimed ahead has waited for long; unless some of it has begun.
void Run::watch_ahead() {
  const std::uint64_t begun = pool_.begun();
  if (std::exchange(begun_seen_, begun) != begun) {
    ahead_timer_.start(Ahead::kPatience);
    return;
  }
  ahead_.stalled();
  give_back_ahead();
}

void Run::give_back_ahead() {
  for (const engine::Claimed& job : ahead_.take_all()) give_back(job);
  std::erase_if(attempts_, [this](const auto& entry) { return withdraw(*entry.second); });
  ahead_timer_.cancel();
  consider_turn();
}

// Its attempt has not begun; or a stop, or the death of the guard, came while it was being claimed.
void Run::give_back(const engine::Claimed& claimed) {
  engine::Outcome outcome{.kind = engine::Outcome::Kind::interrupted};
  outcome.error = may_not_claim_ ? "its worker stopped" : "its worker could not begin it";
  ended_.push_back({{claimed.id, claimed.record.header.run, id_}, std::move(outcome), false});
}

// If it has not begun, it is given back, and is to be forgotten. That comes first: what is withdrawn never ends.
bool Run::withdraw(Attempt& attempt) {
  give_back(attempt.claimed());
  if (attempt.withdraw()) {
    --attempts_started_;
    return true;
  }
  ended_.pop_back();
  return false;
}

// Should memory be short for its outcome, it is over all the same: the run, which that ends, waits for those that are not.
void Run::attempt_ended(JobId id, engine::Outcome outcome, bool crashed) {
  const auto taken = attempts_.extract(id);
  Attempt& attempt = *taken.mapped();
  const bool says_nothing = attempt.output().empty();
  if (!says_nothing) last_output_.push_back(attempt.output().take(attempt.key()));
  auto progress = attempt.take_progress();
  outcome.began = attempt.take_begin();
  if (outcome.began && (progress || !says_nothing))
    begun_.push_back({attempt.key(), *outcome.began});  // that comes first
  if (progress) last_progress_.push_back(std::move(*progress));
  ended_.push_back({attempt.key(), std::move(outcome), crashed});
  if (crashed) guard_is_lost_ = true;
  ahead_.ran(attempt.ran_for());
  if (!handlers_.contains(attempt.claimed().task)) pool_.set_limit(options_.concurrency - --commands_);
}

// Some have ended in the pool.
void Run::handlers_ended() {
  take_reports();
  consider_turn();
}

void Run::take_reports() {
  const auto reports = pool_.take_reports();
  std::exception_ptr error;
  takes_reports_ = true;
  for (const auto& ended : reports) {
    try {
      ended->report();
    } catch (...) {
      error = std::current_exception();  // the others have ended nevertheless
    }
  }
  takes_reports_ = false;
  if (error) std::rethrow_exception(error);
  if (!reports.empty()) start_ahead();
}

void Run::has_news() {
  if (news_wait_) return;
  news_wait_ = true;
  news_timer_.start(kNewsDelay);
}

// --- turns --------------------------------------------------------------------------------------------------------------

std::size_t Run::free_slots() const {
  if (may_not_claim_ || error_ || guard_is_lost_) return 0;
  const std::size_t taken = attempts_.size() + arrived_.size();
  const std::size_t slots = options_.concurrency - std::min<std::size_t>(options_.concurrency, taken);
  return options_.once ? std::min<std::size_t>(slots, attempts_started_ == 0 ? 1 : 0) : slots;
}

std::size_t Run::wanted_ahead() const {
  const bool may = !may_not_claim_ && !error_ && !options_.once && may_note_begun_ && !guard_is_lost_;
  return may ? ahead_.wanted(pool_.waiting() + arrived_.size()) : 0;
}

// With work ahead nobody waits for the next turn, and one for several that have ended costs little more than one for each.
bool Run::turn_may_wait() const {
  const bool is_urgent = !dead_.empty() || news_are_due_ || record_changed_ || is_due_;
  const std::size_t waiting = ahead_.jobs().size() + pool_.waiting() + arrived_.size();
  const bool are_few = ended_.size() < std::max(kTurnEnds, waiting);
  return waiting != 0 && !is_urgent && are_few && !(may_claim_ && wanted_ahead() != 0);
}

void Run::consider_turn() {
  decide_on_turn();
  pool_.hush(turn_under_way_ || turn_waits_);
}

void Run::decide_on_turn() {
  if (turn_under_way_) return;
  if (error_) {
    if (attempts_.empty()) loop_.stop();
    return;
  }
  const bool has_results =
      !begun_.empty() || !ended_.empty() || !dead_.empty() || news_are_due_ || record_changed_ || is_due_;
  const bool could_claim = may_claim_ && free_slots() + wanted_ahead() != 0;
  if (!has_results && !could_claim) {
    if (is_finished()) loop_.stop();
    return;
  }
  if (turn_may_wait() && !turn_is_late_) {
    if (!turn_waits_) turn_timer_.start(kTurnDelay);
    turn_waits_ = true;
    return;
  }
  turn_waits_ = false;
  turn_is_late_ = false;
  turn_timer_.cancel();
  if (attempts_.empty() && arrived_.empty() && ended_.size() < kTurnEnds) {
    // Short, and nothing runs that would have to wait: the way to the other thread and back is saved. But not from in here:
    // whoever calls may be in the middle of what the end of a turn changes.
    loop_.post([this] { turn_done(try_turn(queue_, id_, options_.max_crashes, gather())); });
  } else {
    turns_->start(gather());
  }
  turn_under_way_ = true;
}

void Run::gather_news(TurnInput& input) {
  input.output = std::move(last_output_);
  input.progress = std::move(last_progress_);
  last_output_.clear();
  last_progress_.clear();
  for (const auto& [id, attempt] : attempts_) {
    if (const auto begin = attempt->take_begin()) begun_.push_back({attempt->key(), *begin});
    if (!attempt->output().empty()) input.output.push_back(attempt->output().take(attempt->key()));
    if (auto progress = attempt->take_progress()) input.progress.push_back(std::move(*progress));
  }
  news_wait_ = false;
  news_are_due_ = false;
  news_timer_.cancel();
}

// If memory is short for it, the turn is off: else its end would be waited for.
TurnInput Run::gather() try {
  TurnInput input;
  gather_news(input);
  input.begun = std::exchange(begun_, {});
  input.ended = std::exchange(ended_, {});
  input.dead = std::exchange(dead_, {});
  if (record_changed_) input.update = record_;
  record_changed_ = false;
  is_due_ = false;
  input.claim.limit = free_slots();
  input.claim.ahead = wanted_ahead();
  if (input.claim.limit + input.claim.ahead != 0) {
    // Whoever rings from now on is heard after this turn.
    may_claim_ = false;
    rings_before_claim_ = worker_rings_;
    input.claim.worker = id_;
    input.claim.queues = options_.queues;
    input.claim.tasks = record_.tasks;
    input.fail_unknown_tasks = options_.fail_unknown_tasks;
  }
  return input;
} catch (...) {
  turn_under_way_ = false;
  throw;
}

void Run::turn_done(TurnOutput output) {
  turn_under_way_ = false;
  take_reports();
  if (output.error) {
    fail_with(output.error);
    return;
  }
  may_claim_ = may_claim_ || output.may_be_more;
  is_due_ = is_due_ || output.more_due;
  set_wake_up(output.next_due, output.next_keep);
  if (!error_) arrived_ = std::move(output.claimed);  // else theirs is whoever rescues them
  if (ended_.size() >= kTurnEnds) consider_turn();    // it runs while these are begun
  const bool has_arrived = !arrived_.empty();
  start_arrived();
  // Somebody may have cancelled one between its claim and now, even if that ring has been heard.
  if (has_arrived) worker_rings_ = rings_before_claim_;
  look_for_news_of_workers();
  consider_turn();
}

void Run::start_arrived() {
  pool_.gather(true);
  for (engine::Claimed& claimed : std::exchange(arrived_, {})) {
    if (may_not_claim_ || guard_is_lost_) {
      give_back(claimed);
    } else if (claimed.record.header.has(model::kAhead)) {
      claim_ahead(std::move(claimed));
    } else {
      start(std::move(claimed));
    }
  }
  pool_.gather(false);
  start_ahead();
}

void Run::set_wake_up(std::optional<Time> next_due, std::optional<Time> next_keep) {
  std::optional<Time> when = next_due;
  if (next_keep) {
    const Time keep = std::max(*next_keep, queue_.clock->now() + kKeepDelay);
    when = when ? std::min(*when, keep) : keep;
  }
  wake_up_.set(when);
}

// --- the end ------------------------------------------------------------------------------------------------------------

bool Run::is_finished() const {
  if (!attempts_.empty() || !ahead_.empty()) return false;
  if (stopping_ || options_.once) return true;
  return options_.drain && !peers_.has_dying();  // what those had in hand will be there to be done
}

void Run::stop(bool now) {
  claim_no_more();
  if (!stopping_) {
    stopping_ = true;
    record_.stopping = true;
    record_changed_ = true;
    grace_timer_.start(options_.shutdown_grace);
    give_back_ahead();
  }
  if (now) interrupt_all();
  consider_turn();
}

void Run::interrupt_all() {
  // Stopping one may end it at once and change the map.
  std::vector<Attempt*> running;
  for (const auto& [id, attempt] : attempts_) running.push_back(attempt.get());
  for (Attempt* attempt : running) attempt->stop(Attempt::Stop::shutdown);
}

void Run::fail_with(std::exception_ptr error) {
  if (!error_) {
    error_ = std::move(error);
    ahead_.take_all();
    interrupt_all();
  }
  consider_turn();
}

}  // namespace tq::worker
