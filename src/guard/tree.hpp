// The tree of processes below this one.
#pragma once

namespace tq::guard {

// Sends a signal to all descendants of this process, and to the whole process groups that they are in (so that what they fork
// meanwhile gets it too). Returns how many signals were sent.
//
// All of them means: a subreaper's descendants stay its descendants, whatever they do with sessions, groups, their
// environment, and whoever of them ends. What forks during the look, in a group of its own, may be missed.
int signal_descendants(int signal);

// Kills all descendants and reaps them: returns when this process has no child any more. Waits for those that it may not kill
// (those that became another user) as long as they live. SIGCHLD must be blocked.
void kill_descendants();

}  // namespace tq::guard
