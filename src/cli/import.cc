#include "base/fail.hpp"
#include "base/fd.hpp"
#include "cli/job_text.hpp"
#include "cli/json_line.hpp"
#include "cli/lines.hpp"
#include "cli/progress.hpp"
#include "cli/record_line.hpp"
#include "cli/verbs.hpp"

#include <tq/upkeep.hpp>

#include <fcntl.h>
#include <limits>
#include <unistd.h>

namespace tq::cli {
namespace {

class Import : public Verb {
 public:
  void declare(Parameters& parameters) override {
    parameters.positional({"FILE", Offer::files, false, false, [this](const std::string& text) { in_ = text; }});
  }

  int run(Session& session) override {
    base::Fd file;
    if (in_ != "-") file = base::open_file(in_, O_RDONLY);
    Lines lines(file ? file.get() : STDIN_FILENO, in_ == "-" ? "standard input" : in_,
                std::numeric_limits<std::size_t>::max());
    Progress progress(session.err_terminal(), session.err_terminal().is_terminal && !session.quiet());
    std::uint64_t line = 0;
    const auto next = [&]() -> std::optional<Record> {
      const auto text = lines.next();
      if (!text) return std::nullopt;
      ++line;
      if (line % 1000 == 0) progress.show(count_of(line, "record"));
      return read_record(*text);
    };
    std::uint64_t records = 0;
    try {
      records = import_records(session.path(), next);
    } catch (const InvalidArgument& error) {
      base::fail<InvalidArgument>("{}: line {}: {}", in_ == "-" ? "standard input" : in_, line, error.what());
    }
    progress.clear();
    if (session.json()) {
      session.out().line(Json::line().add("records", records).add("file", session.path().native()).text());
    } else {
      session.confirm(fmt::format("{} imported into '{}'", count_of(records, "record"), session.path().native()));
    }
    return kDone;
  }

 private:
  std::string in_ = "-";
};

}  // namespace

std::unique_ptr<Verb> make_import() { return std::make_unique<Import>(); }

}  // namespace tq::cli
