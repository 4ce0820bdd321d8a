#include "cli/verbs.hpp"

namespace tq::cli {

const std::vector<VerbEntry>& verbs() {
  using enum Group;
  static const std::vector<VerbEntry> kVerbs{
      {"add", adding, "queue a command and print the job's id",
       "No shell is involved; for one, write -- sh -c '...'. The command runs in the present\n"
       "directory with PATH, HOME, USER, LANG, LC_*, TZ, TERM and SHELL as they are here.",
       "tq add -- make -C project\n"
       "tq add -Q mail --retries 4 --backoff exp:1s..1h -- rsync -a src/ host:dst/\n"
       "id=$(tq add -d 10m -- sh -c 'echo done > file')",
       make_add},
      {"put", adding, "queue a job for a task that a program handles",
       "The payload is JSON: as the argument, from the standard input (-), or from a file (@FILE).\n"
       "A line of a batch is an object: \"task\" and, as needed, \"payload\" or \"payload_base64\",\n"
       "and the options by their long names with underscores. A thousand lines are one\n"
       "transaction; the ids are printed as ranges, each after the commit that holds them.",
       "tq put resize '{\"path\": \"a.png\", \"width\": 640}'\n"
       "echo '{\"task\": \"resize\", \"payload\": {\"path\": \"a.png\"}, \"delay\": \"10s\"}' | tq put --batch -",
       make_put},
      {"run", adding, "queue a command, show its output and exit with its code",
       "If no worker is there that would run it, one is started for it, and runs what is before\n"
       "it in its queue, too. Ctrl-C cancels the job. Failures of tq itself are exit code 125.",
       "tq run -- make -C project", make_run},

      {"ls", looking, "list jobs, newest first", "With --quiet, only their ids.",
       "tq ls --state failed,expired\ntq cancel $(tq ls -q --label nightly --state ready)", make_ls},
      {"status", looking, "show the queues, and what is running", "", "tq status", make_status},
      {"show", looking, "show everything about jobs", "", "tq show 17", make_show},
      {"why", looking, "say why jobs are not running", "", "tq why 17", make_why},
      {"log", looking, "print the output of jobs",
       "What a job wrote to its standard output and error, in the order in which it came. With -f,\n"
       "failures of tq itself are exit code 125.",
       "tq log -f 17\ntq log -n 20 --stderr 17", make_log},
      {"result", looking, "print the bytes of jobs' results", "", "tq result 17 > thumbnail.png", make_result},
      {"wait", looking, "sleep until jobs are over",
       "With one ID, exits with that job's own code, and failures of tq itself are exit code 125.\n"
       "With several, exits with 1 if one of them did not succeed.",
       "tq wait 17\ntq wait --all -Q images --timeout 10m", make_wait},
      {"events", looking, "print the event log", "", "tq events -f --json\ntq events --since 10m --type failed,crashed",
       make_events},
      {"stats", looking, "print counts of everything", "", "tq stats --json", make_stats},

      {"cancel", steering, "keep jobs from starting, or ask them to stop",
       "A command that runs gets SIGTERM and, after a grace, SIGKILL, with all that it started.",
       "tq cancel 17 20-25 --reason 'no longer needed'", make_cancel},
      {"kill", steering, "stop jobs that run, with a signal",
       "After a grace they get SIGKILL, with all that they started.", "tq kill -s INT 17", make_kill},
      {"retry", steering, "run jobs again that are over, or wait for another try",
       "Under the same id; attempts are counted anew.", "tq retry 17", make_retry},
      {"rm", steering, "forget jobs that are over, with their results and output", "", "tq rm 3-17", make_rm},
      {"set", steering, "change jobs that wait", "The keys are queue=NAME, priority=N, at=TIME and labels=A,B.",
       "tq set 17 priority=5 at='tomorrow 09:00'", make_set},
      {"queue ls", steering, "list the queues", "", "tq queue ls", make_queue_ls},
      {"queue show", steering, "show queues with the number of their jobs in each state", "", "tq queue show mail",
       make_queue_show},
      {"queue set", steering, "change a queue's settings",
       "The key is max_size=N: refuse more unfinished jobs; 0: no limit.", "tq queue set mail max_size=1000",
       make_queue_set},
      {"queue pause", steering, "start nothing more of queues", "", "tq queue pause mail", make_queue_pause},
      {"queue resume", steering, "end a pause", "", "tq queue resume mail", make_queue_resume},
      {"queue purge", steering, "remove the jobs of a queue that wait, and print how many", "",
       "tq queue purge mail\ntq queue purge mail --state succeeded", make_queue_purge},
      {"dead ls", steering, "list the jobs that are out of attempts", "", "tq dead ls -Q mail", make_dead_ls},
      {"dead retry", steering, "run them again, all or these, and print how many", "", "tq dead retry 17 18",
       make_dead_retry},
      {"dead purge", steering, "remove them, all or these, and print how many", "", "tq dead purge --older 30d",
       make_dead_purge},

      {"worker", running, "run jobs until SIGTERM or SIGINT",
       "The first signal lets what runs finish; the second stops it and queues it again. --drain and\n"
       "--once exit with 6 if there was nothing to do.",
       "tq worker -j 4 -Q images,default\ntq worker --drain", make_worker},

      {"check", upkeep, "look for damage, and repair it",
       "Prints a line for each problem and exits with 7 if there are any. With --repair, while nobody\n"
       "else uses it, a store that has problems is made anew from its records that are whole. The\n"
       "damaged file stays as FILE-damaged, and what could not be kept is in FILE-damaged.ndjson.",
       "tq check --deep\ntq check --repair", make_check},
      {"backup", upkeep, "write a copy of the store, while others work on it",
       "OUT is a store of its own, with its side files beside it, and must not be there yet. Every\n"
       "checksum is proven on the way. Jobs that run now are ready in the copy.",
       "tq backup /mnt/disk/jobs-monday.tq", make_backup},
      {"compact", upkeep, "write a copy without free space",
       "What 'backup' writes, and how much smaller it is. To have it in place of the store, end all\n"
       "that use that, and: tq restore --replace OUT.",
       "tq compact small.tq", make_compact},
      {"restore", upkeep, "make the store from a backup",
       "IN stays as it is. With --replace, a store that is there is renamed: FILE-replaced.",
       "tq -f jobs.tq restore /mnt/disk/jobs-monday.tq", make_restore},
      {"export", upkeep, "print everything in the store as JSON, an object a line",
       "What 'import' makes a store of again, also in other versions of the file format. Bytes that\n"
       "are not UTF-8 are {\"base64\": ...}; times and durations are milliseconds.",
       "tq export > jobs.ndjson", make_export},
      {"import", upkeep, "make a store from what 'export' printed",
       "From FILE or the standard input. The store must not be there yet. All of it is imported, or\n"
       "nothing.",
       "tq -f new.tq import jobs.ndjson", make_import},
      {"completions", upkeep, "print a completion script for bash, zsh or fish", "", "source <(tq completions bash)",
       make_completions},
  };
  return kVerbs;
}

}  // namespace tq::cli
