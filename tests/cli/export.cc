// `export` and `import`: there and back.
#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>

namespace tq::test {
namespace {

struct Full {
  Full() {
    sandbox.add_sh("echo said; exit 3", {"--label", "a"});
    sandbox.drain();
    sandbox.ok({"put", "t", "--raw", "-"}, std::string("\xff\0\x01", 3) + std::string(70'000, 'y'));
    sandbox.ok({"put", "t", "[1,2]", "-d", "1h", "-p", "-5", "--result-ttl", "0s"});
    sandbox.ok({"queue", "set", "other", "max_size=7"});
    sandbox.ok({"queue", "pause", "other"});
    text = sandbox.ok({"export"});
  }
  Ended import(const std::string& lines) const { return sandbox.tq({"--file", other, "import"}, lines); }
  // The export with each `from` replaced by `to`.
  std::string with(const std::string& from, const std::string& to) const {
    std::string changed = text;
    BOOST_REQUIRE(contains(changed, from));
    for (std::size_t at = 0; (at = changed.find(from, at)) != changed.npos; at += to.size()) {
      changed.replace(at, from.size(), to);
    }
    return changed;
  }

  Sandbox sandbox;
  std::string text;
  std::string other = sandbox.path("other.tq");
};

BOOST_AUTO_TEST_SUITE(cli_export)

BOOST_AUTO_TEST_CASE(an_export_that_is_imported_exports_the_same) {
  const Full full;
  TQ_CHECK_ENDED(full.import(full.text), 0);
  BOOST_TEST(full.sandbox.ok({"--file", full.other, "export"}) == full.text);
  BOOST_TEST(full.sandbox.ok({"--file", full.other, "check", "--deep"}) == "");
  BOOST_TEST(full.sandbox.ok({"--file", full.other, "log", "1"}) == "said\n");
}

BOOST_AUTO_TEST_CASE(every_line_is_an_object_with_its_kind) {
  const Full full;
  for (const std::string& line : lines(full.text)) BOOST_TEST(line.starts_with("{\"v\":1,\"kind\":\""), line);
  BOOST_TEST(contains(lines(full.text).back(), "\"kind\":\"end\""));
}

BOOST_AUTO_TEST_CASE(an_import_goes_on_from_where_the_numbers_were) {
  const Full full;
  TQ_CHECK_ENDED(full.import(full.text), 0);
  BOOST_TEST(full.sandbox.ok({"--file", full.other, "add", "--", "true"}) == "4\n");
}

BOOST_AUTO_TEST_CASE(an_import_that_is_refused_names_the_line_and_leaves_nothing) {
  const Full full;
  const std::string first_lines = full.text.substr(0, full.text.find("{\"v\":1,\"kind\":\"end\""));
  check_refused(full.import(first_lines), 2, "the export is cut off");
  check_refused(full.import("{\"kind\":\"job\"}\n"), 2, "standard input: line 1: this is no export");
  check_refused(full.import("rubbish\n"), 2, "standard input: line 1: it is not JSON");
  check_refused(full.import(full.with("\"priority\":-5", "\"prority\":-5")), 2, "a job has no 'prority'");
  check_refused(full.import(full.with("\"priority\":-5", "\"priority\":5000000000")), 2,
                "no number from -2147483648 to");
  check_refused(full.import(full.with("\"state\":\"failed\"", "\"state\":\"odd\"")), 2, "there is no state 'odd'");
  check_refused(full.import(full.with("\"state\":\"failed\"", "\"state\":\"running\"")), 2, "does not hold together");
  BOOST_TEST(!std::filesystem::exists(full.other));
  TQ_CHECK_ENDED(full.import(full.text), 0);
}

BOOST_AUTO_TEST_CASE(an_import_that_is_killed_leaves_no_store_and_can_be_done_again) {
  const Full full;
  for (const char* failpoint : {"store.blob.written", "store.make.filled", "store.create.synced"}) {
    Start how = full.sandbox.how({"--file", full.other, "import"}, full.text);
    how.env["TQ_FAILPOINT"] = std::string(failpoint) + "=exit";
    TQ_CHECK_ENDED(Process(how).finish(), 137);
    BOOST_TEST(!std::filesystem::exists(full.other));
  }
  TQ_CHECK_ENDED(full.import(full.text), 0);
  BOOST_TEST(full.sandbox.ok({"--file", full.other, "check", "--deep"}) == "");
}

BOOST_AUTO_TEST_CASE(an_import_never_overwrites_a_store) {
  const Full full;
  check_refused(full.sandbox.tq({"import"}), 4, "there is a file");
  BOOST_TEST(full.sandbox.ok({"export"}) == full.text);
}

BOOST_AUTO_TEST_CASE(an_import_reads_a_file_that_is_named) {
  const Full full;
  full.sandbox.write("export.ndjson", full.text);
  full.sandbox.ok({"--file", full.other, "import", full.sandbox.path("export.ndjson")});
  check_refused(full.sandbox.tq({"--file", full.sandbox.path("x.tq"), "import", full.sandbox.path("none")}), 7, "none");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
