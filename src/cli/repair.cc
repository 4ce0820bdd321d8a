#include "cli/repair.hpp"

#include "base/fail.hpp"
#include "base/fd.hpp"
#include "cli/base64.hpp"
#include "cli/job_text.hpp"
#include "cli/json_line.hpp"
#include "cli/progress.hpp"

#include <tq/upkeep.hpp>

#include <fcntl.h>

namespace tq::cli {
namespace {

// Whether it opens and a deep check finds nothing. It is closed again.
bool is_whole(const std::filesystem::path& path) {
  try {
    return TaskQueue(path, {.create = false}).check(true).problems.empty();
  } catch (const Damaged&) {
    return false;
  }
}

// The file of what could not be kept; made with its first line.
class DamageFile {
 public:
  explicit DamageFile(std::string path) : path_(std::move(path)) {}

  void add(const Damage& damage) {
    if (!file_) file_ = base::open_file(path_, O_WRONLY | O_CREAT | O_TRUNC);
    Json json = Json::line().add("what", damage.what).add("tree", damage.tree);
    json.add("key_base64", encode_base64(damage.key)).add("value_base64", encode_base64(damage.value));
    base::write_all(file_.get(), json.text() + '\n', path_);
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  base::Fd file_;
};

void say(Session& session, const Repaired& repaired, const std::string& path, const DamageFile& file) {
  for (const std::string& change : repaired.changes) session.out().line(printable(change));
  for (const std::string& problem : repaired.problems) session.out().line(printable(problem));
  session.out().flush();
  session.words(fmt::format("{} kept, {} set aside{}; the damaged file is '{}-damaged'",
                            count_of(repaired.records, "record"), repaired.set_aside,
                            repaired.set_aside == 0 ? "" : fmt::format(" into '{}'", printable(file.path())),
                            printable(path)));
}

}  // namespace

int run_repair(Session& session) {
  const std::string path = session.path().native();
  if (is_whole(path)) {
    if (session.json()) session.out().line(Json::line().add("repaired", false).text());
    session.words("no problems, nothing to repair");
    return kDone;
  }
  DamageFile file(path + "-damaged.ndjson");
  Progress progress(session.err_terminal(), session.err_terminal().is_terminal && !session.quiet());
  const Repaired repaired = repair(
      path, [&](const Damage& damage) { file.add(damage); },
      [&](std::uint64_t done, std::uint64_t all) { progress.show(bar_of(done, all)); });
  progress.clear();
  if (session.json()) {
    Json json = Json::line().add("repaired", true).add("records", repaired.records);
    json.add("set_aside", repaired.set_aside).add("changes", repaired.changes).add("problems", repaired.problems);
    session.out().line(json.text());
  } else {
    say(session, repaired, path, file);
  }
  return repaired.problems.empty() ? kDone : kStoreFailed;
}

}  // namespace tq::cli
