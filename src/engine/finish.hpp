// The ends of an attempt: outcome, result, follow-up jobs and events in the transaction at hand.
#pragma once

#include "engine/enqueue.hpp"
#include "engine/ledger.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tq::engine {

// How an attempt ended, as its pool reports it.
struct Outcome {
  enum class Kind {
    succeeded,
    failed,       // retried by the job's policy while retries are left
    snoozed,      // comes again after `delay`; no attempt is used
    cancelled,    // by the handler, or because it was asked to stop
    interrupted,  // its worker is stopping: ready again at its old place; no attempt is used
  };
  Kind kind = Kind::succeeded;
  Payload result;                                  // of a success; its bytes if they fit into the record
  std::optional<store::PreparedBlob> result_blob;  // else here
  std::string error;                               // of a failure; the reason of a cancel
  bool for_good = false;                           // of a failure: retries do not matter
  std::optional<Duration> delay;                   // of a snooze; of a failure in place of the policy's
  std::optional<int> exit_code;                    // of a command
  std::vector<NewJob> follow_ups;                  // of a success: enqueued with it
  std::optional<Time> began;                       // of a job that was claimed ahead, if the store has not been told
};

// Which attempt it was: a claim of a job. A completion of any other claim is late.
struct RunKey {
  JobId job = 0;
  std::uint32_t run = 0;
  WorkerId worker = 0;
};

// An attempt begins: it is counted, and logged as begun at `when`. For a claim that was not made ahead, claim() does it.
void begin(Ledger& ledger, Job& job, Time when);
// The same for a job that was claimed ahead. False: this claim does not hold the job any more, or has begun already.
bool begin(Ledger& ledger, const RunKey& key, Time when);

// Ends the attempt. False, and nothing is changed: this claim does not hold the job any more (it was rescued, or timed out
// and given up). Follow-ups that no longer fit into their queue make a success a failure.
bool finish(Ledger& ledger, const RunKey& key, Outcome outcome);

// What was claimed ahead and has not begun is ready again at its old place: as if it had never been claimed.
void give_back(Ledger& ledger, Job& job);

// The worker of this running job has died with it: ready again at its old place without having used an attempt, or failed once
// that has happened `max_crashes` times. `cause` is what is known of the death ("worker 3 (pid 77) was killed by SIGSEGV").
void crash(Ledger& ledger, Job& job, std::uint32_t max_crashes, std::string_view cause);

// Keeps bytes for the next attempt. False: this claim does not hold the job any more.
bool save_state(Ledger& ledger, const RunKey& key, store::PreparedBlob bytes);

// Says how far an attempt is. False: this claim does not hold the job any more.
bool report_progress(Ledger& ledger, const RunKey& key, double fraction, std::string_view text);

// The job, if this claim still holds it.
std::optional<Job> load_running(Ledger& ledger, const RunKey& key);

}  // namespace tq::engine
