// Looking after the file: backups, and what is done when it is damaged.
//
// All of these make a store under another name first and give it its name when it is whole and durable, so that killing them
// half-way leaves nothing that could be taken for a store; run them again.
#pragma once

#include <tq/record.hpp>
#include <tq/task_queue.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace tq {

// Told now and then how far it has come: `done` of about `all` records. Runs on the caller's thread.
using Progress = std::function<void(std::uint64_t done, std::uint64_t all)>;

// Writes the present state of the store to `to`, a store of its own with its side files, while others work on it. Proves every
// checksum on the way; the copy has no free pages. Jobs that run now are ready in the copy. Durable on return. Returns the
// number of records. What others write meanwhile makes the file of the original grow.
// Throws Conflict (there is a file `to`), Damaged, DiskFull, IoError.
std::uint64_t backup(const TaskQueue& queue, const std::filesystem::path& to, const Progress& progress = {});

// Makes the store `to` from the backup `from`, which stays as it is. With `replace`, a store that is there is renamed when
// that is done, with its side files, to `to` + "-replaced". Durable on return. Returns the number of records.
// Throws NotFound (no `from`), Conflict (there is a file `to`, or somebody has it open, or "-replaced" is there), Damaged,
// DiskFull, IoError.
std::uint64_t restore(const std::filesystem::path& from, const std::filesystem::path& to, bool replace = false,
                      const Progress& progress = {});

// Hands out all that one state of the store holds, record by record, while others work on it. Returns how many records those were.
// Throws Damaged; Conflict if a job with a large payload or result is removed meanwhile (export a backup, then).
std::uint64_t export_records(const TaskQueue& queue, const std::function<void(const Record&)>& take,
                             const Progress& progress = {});

// Makes the store `to` from exported records: `next` hands them over, and nothing at the end. The same numbers, states, results,
// output and events as before; indexes and counters are derived anew. Durable on return. Returns the number of records.
// Throws InvalidArgument (a record that cannot be, an early end, records that contradict each other), Conflict (there is a
// file `to`), DiskFull, IoError. What `next` throws is passed on, and leaves no store.
std::uint64_t import_records(const std::filesystem::path& to, const std::function<std::optional<Record>()>& next);

// Makes the store anew from its records that are whole: all indexes and counters from the jobs, and what lies in the intake.
// Records that are damaged are handed to `set_aside`. A job whose payload is lost fails with that as its error, if it was not
// over; an event that is lost is replaced by one of type `lost`. The damaged file is kept as `path` + "-damaged", side files
// that nothing refers to any more in `path` + "-damaged-blobs", an intake that is cut off as `path` + "-damaged-intake". What
// hangs below a broken page of LMDB's is lost. Durable on return. Throws NotFound, Conflict (somebody has it open, or "-damaged"
// is there), Damaged (no tree of it can be found: restore a backup), DiskFull, IoError.
Repaired repair(const std::filesystem::path& path, const std::function<void(const Damage&)>& set_aside,
                const Progress& progress = {});

}  // namespace tq
