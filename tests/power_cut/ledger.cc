#include "power_cut/ledger.hpp"

#include <cstdlib>

namespace tq::test::power_cut {
namespace {

// Takes the first word.
std::string word(std::string_view& words) {
  const std::size_t end = words.find(' ');
  const std::string first(words.substr(0, end));
  words.remove_prefix(end == words.npos ? words.size() : end + 1);
  return first;
}

std::uint64_t number(std::string_view& words) { return std::strtoull(word(words).c_str(), nullptr, 10); }

std::string name(JobId id, const std::string& token) { return "job " + std::to_string(id) + " (" + token + ")"; }

}  // namespace

void Ledger::note(std::string_view words) {
  const std::string verb = word(words);
  if (verb == "try") return note_try(words);
  if (verb != "ran" && verb != "leave") owes_ = true;
  if (verb == "purge") return note_purged();
  const std::uint64_t value = number(words);
  if (verb == "add") return note_add(value, std::string(words));
  if (verb == "paused") paused_ = {value};
  if (verb == "limit") limits_ = {value};
  if (verb == "paused" || verb == "limit") return;
  Job& job = jobs_[value];
  if (verb == "ran") job.has_run = true;
  if (verb == "saved") job.has_saved = true;
  if (verb == "final") job.state = parse_state(word(words));
  if (verb == "cancel") job.state = State::cancelled;
  if (verb == "retry") job.is_called_back = true;
  if (verb == "remove") job.presence = Presence::gone;
  if (verb == "priority") job.priorities = {static_cast<std::int32_t>(number(words))};
}

// From now on it may happen at any moment.
void Ledger::note_try(std::string_view words) {
  const std::string verb = word(words);
  if (verb == "add") {
    tried_.emplace(words);
    return;
  }
  if (verb == "purge") {
    purges_ = true;
    for (auto& [id, job] : jobs_) {
      if (kind_of(job.token) != "park" || job.presence == Presence::gone) continue;
      job.presence = Presence::perhaps;
      if (!job.was_cancelled) purging_.insert(id);
    }
    return;
  }
  const std::uint64_t value = number(words);
  if (verb == "paused") paused_.empty() ? paused_ = {0, value} : (paused_.insert(value), paused_);
  if (verb == "limit") limits_.empty() ? limits_ = {0, value} : (limits_.insert(value), limits_);
  if (verb == "paused" || verb == "limit") return;
  Job& job = jobs_[value];
  if (verb == "cancel") {
    job.state.reset();
    job.is_called_back = false;
    job.was_cancelled = true;
  }
  if (verb == "retry") job.state.reset();
  if (verb == "remove") {
    job.presence = Presence::perhaps;
    job.is_being_removed = true;
  }
  if (verb == "priority") {
    if (job.priorities.empty()) job.priorities = {0};
    job.priorities.insert(static_cast<std::int32_t>(number(words)));
  }
}

void Ledger::note_add(JobId id, const std::string& token) {
  Job& job = jobs_[id];
  job.token = token;
  // Another process may have removed it before its producer had time to say a word.
  const bool may_be_purged = kind_of(token) == "park" && (purges_ || unsaid_.contains(token));
  said_.insert(token);
  if (!may_be_purged && !job.is_being_removed) job.presence = Presence::there;
}

void Ledger::note_purged() {
  purges_ = false;
  for (const std::string& token : tried_) {
    if (kind_of(token) == "park" && !said_.contains(token)) unsaid_.insert(token);
  }
  for (const JobId id : purging_) {
    if (!jobs_[id].was_cancelled) jobs_[id].presence = Presence::gone;
  }
  purging_.clear();
}

const Ledger::Expected& Ledger::expected(const std::string& token) const {
  const auto [place, is_new] = expected_.try_emplace(token);
  if (is_new) place->second = {payload_of(token), result_of(token)};
  return place->second;
}

Complaints Ledger::compare(const TaskQueue& queue) const {
  Complaints complaints;
  std::map<std::string, State> shown;
  std::set<JobId> ids;
  for (const JobInfo& info : queue.list({.limit = 1'000'000})) {
    ids.insert(info.id);
    const std::string token = info.labels.empty() ? "" : info.labels[0];
    if (!shown.emplace(token, info.state).second) complaints.wrong.push_back(name(info.id, token) + " is there twice");
    if (tried_.contains(token)) {
      compare_job(queue, info, complaints);
    } else {
      complaints.wrong.push_back(name(info.id, token) + " was never added");
    }
  }
  for (const auto& [id, job] : jobs_) {
    if (job.presence == Presence::there && !ids.contains(id))
      complaints.lost.push_back(name(id, job.token) + " is lost");
  }
  for (const auto& [token, state] : shown) {
    if (kind_of(token) != "spawn" || (state == State::succeeded) == shown.contains(token + '+')) continue;
    complaints.wrong.push_back("'" + token + "' and its follow-up are not one");
  }
  compare_queue(queue, complaints);
  return complaints;
}

void Ledger::compare_job(const TaskQueue& queue, const JobInfo& info, Complaints& complaints) const {
  const std::string& token = info.labels[0];
  const std::string job_name = name(info.id, token);
  const auto known = jobs_.find(info.id);
  const Job* const job = known != jobs_.end() ? &known->second : nullptr;
  const std::optional<Payload> payload = queue.payload(info.id);
  if (!payload || payload->bytes != expected(token).payload)
    complaints.lost.push_back(job_name + " has another payload");
  if (info.task != kind_of(token)) complaints.wrong.push_back(job_name + " is for task " + info.task);
  if (job != nullptr && !job->token.empty() && job->token != token) {
    complaints.wrong.push_back(job_name + " was acknowledged as '" + job->token + "'");
  }
  compare_end(queue, info, job, complaints);
  if (job != nullptr) compare_debts(queue, info, *job, complaints);
}

// How it says it has ended.
void Ledger::compare_end(const TaskQueue& queue, const JobInfo& info, const Job* job, Complaints& complaints) const {
  const std::string& token = info.labels[0];
  const std::string job_name = name(info.id, token);
  if (info.state == State::running) complaints.wrong.push_back(job_name + " runs, and nobody runs it");
  if (info.state == State::succeeded || info.state == State::failed) {
    const bool fails = kind_of(token) == "fail";
    if (job == nullptr || !job->has_run) complaints.wrong.push_back(job_name + " has ended and never began");
    if ((info.state == State::failed) != fails) complaints.wrong.push_back(job_name + " has the wrong end");
  }
  if (info.state == State::cancelled && (job == nullptr || !job->was_cancelled)) {
    complaints.wrong.push_back(job_name + " is cancelled, and nobody tried");
  }
  if (info.state != State::succeeded) return;
  const std::optional<Result> result = queue.result(info.id);
  if (!result || result->value.bytes != expected(token).result)
    complaints.lost.push_back(job_name + " has another result");
}

void Ledger::compare_debts(const TaskQueue& queue, const JobInfo& info, const Job& job, Complaints& complaints) const {
  const std::string job_name = name(info.id, info.labels[0]);
  if (job.presence == Presence::gone) complaints.lost.push_back(job_name + " was removed, and is there");
  if (job.state && info.state != *job.state) {
    complaints.lost.push_back(job_name + " is " + std::string(to_string(info.state)) + " and was " +
                              std::string(to_string(*job.state)));
  }
  if (job.is_called_back && info.state == State::cancelled) {
    complaints.lost.push_back(job_name + " is cancelled, and was called back");
  }
  if (!job.priorities.empty() && !job.priorities.contains(info.priority)) {
    complaints.lost.push_back(job_name + " has priority " + std::to_string(info.priority));
  }
  if (job.has_saved && queue.saved(info.id) != saved_of(info.labels[0])) {
    complaints.lost.push_back(job_name + " has lost its saved state");
  }
}

void Ledger::compare_queue(const TaskQueue& queue, Complaints& complaints) const {
  const std::optional<QueueInfo> parked = queue.queue(kParked);
  const std::uint64_t paused = parked && parked->paused ? 1 : 0;
  const std::uint64_t limit = parked ? parked->settings.max_size : 0;
  if (!paused_.contains(paused) && (paused != 0 || !paused_.empty())) {
    complaints.lost.push_back("the queue's pause is " + std::to_string(paused));
  }
  if (!limits_.contains(limit) && (limit != 0 || !limits_.empty())) {
    complaints.lost.push_back("the queue's limit is " + std::to_string(limit));
  }
}

}  // namespace tq::test::power_cut
