// How each verb is made; verbs.cc has the table of them.
#pragma once

#include "cli/session.hpp"
#include "cli/verb.hpp"

#include <memory>

namespace tq::cli {

std::unique_ptr<Verb> make_add();
std::unique_ptr<Verb> make_put();
std::unique_ptr<Verb> make_run();
std::unique_ptr<Verb> make_ls();
std::unique_ptr<Verb> make_status();
std::unique_ptr<Verb> make_show();
std::unique_ptr<Verb> make_why();
std::unique_ptr<Verb> make_log();
std::unique_ptr<Verb> make_result();
std::unique_ptr<Verb> make_wait();
std::unique_ptr<Verb> make_events();
std::unique_ptr<Verb> make_stats();
std::unique_ptr<Verb> make_cancel();
std::unique_ptr<Verb> make_kill();
std::unique_ptr<Verb> make_retry();
std::unique_ptr<Verb> make_rm();
std::unique_ptr<Verb> make_set();
std::unique_ptr<Verb> make_queue_ls();
std::unique_ptr<Verb> make_queue_show();
std::unique_ptr<Verb> make_queue_set();
std::unique_ptr<Verb> make_queue_pause();
std::unique_ptr<Verb> make_queue_resume();
std::unique_ptr<Verb> make_queue_purge();
std::unique_ptr<Verb> make_dead_ls();
std::unique_ptr<Verb> make_dead_retry();
std::unique_ptr<Verb> make_dead_purge();
std::unique_ptr<Verb> make_worker();
std::unique_ptr<Verb> make_check();
std::unique_ptr<Verb> make_backup();
std::unique_ptr<Verb> make_compact();
std::unique_ptr<Verb> make_restore();
std::unique_ptr<Verb> make_export();
std::unique_ptr<Verb> make_import();
std::unique_ptr<Verb> make_completions();

}  // namespace tq::cli
