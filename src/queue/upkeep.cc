// Backups, exports and imports: what is done with a store as a whole.
#include <tq/upkeep.hpp>

#include "engine/copy.hpp"
#include "engine/export.hpp"
#include "engine/repair.hpp"
#include "queue/impl.hpp"
#include "store/blob.hpp"
#include "store/checksum.hpp"
#include "store/file_system.hpp"
#include "store/format.hpp"
#include "store/making.hpp"
#include "store/page_salvage.hpp"

namespace tq {
namespace {

// The damaged store to read from. LMDB believes its pages: if those are broken, what is whole of them is put into sound ones first.
std::shared_ptr<store::Environment> open_damaged(const std::filesystem::path& path, bool is_sound,
                                                 const std::function<void(const Damage&)>& set_aside) {
  if (is_sound) return store::Environment::open_alone(path, path, false);
  return store::make_nameless(path, [&](store::Environment& made) {
    store::Filler filler(made);
    store::salvage_pages(path, [&](store::Tree tree, std::string_view key, std::string_view stored) {
      if (const auto value = store::verified(key, stored)) return filler.put(tree, key, *value);
      const char* const name = store::kTreeNames[static_cast<std::size_t>(tree)];
      set_aside({"a record", name, std::string(key), std::string(stored)});
    });
    filler.finish();
  });
}

}  // namespace

std::uint64_t backup(const TaskQueue& queue, const std::filesystem::path& to, const Progress& progress) {
  store::Environment& from = *queue.impl().environment;
  if (from.intake_is_pending()) queue.impl().take_in();
  std::uint64_t records = 0;
  store::make_store(to, [&](store::Environment& made) { records = engine::copy(from, made, progress); });
  return records;
}

std::uint64_t restore(const std::filesystem::path& from, const std::filesystem::path& to, bool replace,
                      const Progress& progress) {
  const auto source = store::Environment::open(from, {.create = false});
  if (source->intake_is_pending()) TaskQueue(from, {.create = false}).impl().take_in();
  const std::string aside = store::resolve(to).native() + "-replaced";
  std::uint64_t records = 0;
  const auto fill = [&](store::Environment& made) { records = engine::copy(*source, made, progress); };
  if (replace) {
    store::replace_store(to, aside, fill);
    return records;
  }
  if (store::is_half_aside(to, aside)) {
    base::fail<Conflict>("'{}' was being replaced when that was interrupted: do it again with 'replace'", to.native());
  }
  store::make_store(to, fill);
  return records;
}

std::uint64_t export_records(const TaskQueue& queue, const std::function<void(const Record&)>& take,
                             const Progress& progress) {
  return engine::export_records(queue.impl().read(), take, progress);
}

std::uint64_t import_records(const std::filesystem::path& to, const std::function<std::optional<Record>()>& next) {
  std::uint64_t records = 0;
  store::make_store(to, [&](store::Environment& made) { records = engine::import_records(made, next); });
  return records;
}

Repaired repair(const std::filesystem::path& given, const std::function<void(const Damage&)>& set_aside,
                const Progress& progress) {
  const std::filesystem::path path =
      store::resolve(given);  // intake and side files are beside the file, not beside a link
  const std::string kept = path.native() + "-damaged";
  Repaired repaired;
  std::uint64_t set_aside_before = 0;
  bool is_sound = true;
  store::remake_store(path, kept, [&](store::Environment& made) {
    const std::string ring = path.native() + "-intake";
    const bool was_moved = !store::identify(ring);  // by a repair that was killed
    const auto intake = store::salvage_intake(was_moved ? kept + "-intake" : ring);
    is_sound = store::has_sound_pages(path);
    const auto old = open_damaged(path, is_sound, [&](const Damage& damage) {
      ++set_aside_before;
      set_aside(damage);
    });
    repaired = engine::repair(old->read(), made, intake, base::system_clock().now(), set_aside, progress);
    // As long as nobody else may open the store, who would remove them.
    store::move_idle_side_files(made, kept + "-blobs");
  });
  repaired.set_aside += set_aside_before;
  if (!is_sound) repaired.changes.emplace_back("pages of the file were broken: what lay below them is lost");
  const TaskQueue queue(path, {.create = false});
  repaired.problems = queue.check(true).problems;
  return repaired;
}

}  // namespace tq
