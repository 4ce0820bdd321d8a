// What the shared parts of the command line do by themselves: values, ids, lines, encodings, text in columns.
#include "cli/values.hpp"
#include "cli/base64.hpp"
#include "cli/exit_code.hpp"
#include "cli/ids.hpp"
#include "cli/job_text.hpp"
#include "cli/json_line.hpp"
#include "cli/json_text.hpp"
#include "cli/lines.hpp"
#include "cli/parse.hpp"
#include "cli/progress.hpp"
#include "cli/table.hpp"

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "support/random.hpp"

#include <tq/error.hpp>

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tq::cli {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

template <class T>
T read_as(const std::string& text) {
  T value{};
  read(text, value);
  return value;
}

// A descriptor from which the bytes can be read.
base::Fd file_of(const std::string& bytes) {
  base::Fd fd(::memfd_create("test", MFD_CLOEXEC));
  base::write_all(fd.get(), bytes, "a file in memory");
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

std::string printed(const Table& table, std::size_t width, bool with_titles = true) {
  const base::Fd fd = file_of("");
  Output out(fd.get());
  Terminal terminal;
  terminal.width = width;
  table.print(out, terminal, with_titles);
  out.flush();
  ::lseek(fd.get(), 0, SEEK_SET);
  return base::read_all(fd.get(), "a file in memory");
}

BOOST_AUTO_TEST_SUITE(cli_values)

BOOST_AUTO_TEST_CASE(lists_are_split_at_commas) {
  BOOST_TEST(read_as<Words>("a,b") == (Words{"a", "b"}));
  BOOST_TEST(read_as<Words>("") == (Words{""}));
  BOOST_TEST(read_as<Words>("a,") == (Words{"a", ""}));
  BOOST_TEST((read_as<std::vector<State>>("ready,failed") == std::vector{State::ready, State::failed}));
  BOOST_CHECK_THROW(read_as<std::vector<State>>("ready,,failed"), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(numbers_are_read_to_their_ends) {
  BOOST_TEST(read_as<std::int32_t>("-2147483648") == std::numeric_limits<std::int32_t>::min());
  BOOST_TEST(read_as<std::uint64_t>("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
  BOOST_CHECK_THROW(read_as<std::uint64_t>("18446744073709551616"), InvalidArgument);
  BOOST_CHECK_THROW(read_as<std::uint32_t>("-0"), InvalidArgument);
  BOOST_CHECK_THROW(read_as<std::uint32_t>("-"), InvalidArgument);
  BOOST_CHECK_THROW(read_as<std::uint32_t>("1 "), InvalidArgument);
  BOOST_TEST(read_number("5", 1, 5) == 5);
  BOOST_CHECK_THROW(read_number("6", 1, 5), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(signals_have_names_and_numbers) {
  BOOST_TEST(read_signal("TERM") == 15);
  BOOST_TEST(read_signal("sigkill") == 9);
  BOOST_TEST(read_signal("9") == 9);
  for (const char* const bad : {"", "SIG", "0", "65", "TERMX", "-9", "9 "}) {
    BOOST_CHECK_THROW(read_signal(bad), InvalidArgument);
  }
}

BOOST_AUTO_TEST_CASE(a_backoff_has_a_kind_and_durations) {
  const auto constant = read_as<Backoff>("const:5s");
  BOOST_TEST((constant.base == 5s && constant.cap == 5s && constant.kind == Backoff::Kind::constant));
  const auto doubled = read_as<Backoff>("exp:2h");
  BOOST_TEST((doubled.base == 2h && doubled.cap == 2h && doubled.kind == Backoff::Kind::exponential));
  BOOST_TEST((read_as<Backoff>("exp:1s").cap == 1h));
  for (const char* const bad : {"", "const", "const:", "exp:..", "exp:1s..", "exp:..1s", "lin:1s", "exp:2s..1s"}) {
    BOOST_CHECK_THROW(read_as<Backoff>(bad), InvalidArgument);
  }
}

BOOST_AUTO_TEST_CASE(a_past_time_of_day_is_the_last_one) {
  const Time now = base::system_clock().now();
  BOOST_TEST((read_past("10m") <= now - 10min + 1min));
  BOOST_TEST((read_past("00:00") <= base::system_clock().now()));
  BOOST_TEST((read_past("23:59") <= base::system_clock().now()));
  BOOST_TEST((read_past("2026-01-31T12:00:00Z") == Time(1769860800s)));
  BOOST_CHECK_THROW(read_past("never"), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(ids_are_numbers_and_ranges) {
  Ids ids;
  ids.add("5");
  BOOST_TEST(ids.only().value() == 5u);
  ids.add("7-9");
  BOOST_TEST(!ids.only());
  Ids range;
  range.add("3-3");
  BOOST_TEST(range.only().value() == 3u);
  for (const char* const bad : {"", "0", "-", "1-", "-1", "2-1", "0-3", "1--2", "18446744073709551616", "0x1"}) {
    BOOST_CHECK_THROW(ids.add(bad), InvalidArgument);
  }
}

BOOST_AUTO_TEST_CASE(ids_are_each_job_once_in_the_order_given) {
  TaskQueue store(":memory:");
  for (int i = 0; i < 2500; ++i) store.enqueue("t", {});
  store.purge("default");
  std::vector<JobSpec> more(2500, JobSpec{"t", {}, {}});
  store.enqueue_many(more);  // 2501 to 5000
  Ids ids;
  ids.add("9999");
  ids.add("2499-2502");
  ids.add("2502");
  BOOST_TEST(ids.in(store) == (std::vector<JobId>{9999, 2501, 2502}));
  Ids all;
  all.add("1-18446744073709551615");
  BOOST_TEST(all.in(store).size() == 2500u);
  BOOST_TEST(all.in(store).front() == 2501u);
  Ids none;
  none.add("1-2500");
  BOOST_CHECK_THROW(none.in(store), NotFound);
}

BOOST_AUTO_TEST_CASE(base64_has_one_text_for_each_value) {
  BOOST_TEST(encode_base64("") == "");
  BOOST_TEST(encode_base64("f") == "Zg==");
  BOOST_TEST(encode_base64("fo") == "Zm8=");
  BOOST_TEST(encode_base64("foo") == "Zm9v");
  test::Random random;
  for (int i = 0; i < 1000; ++i) {
    const std::string bytes = random.bytes(40);
    BOOST_TEST(decode_base64(encode_base64(bytes)).value() == bytes);
  }
  for (const char* const bad :
       {"Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "=", "====", "Zm9v\n", "Z m9", "Zg==Zg==", "Zm9-"}) {
    BOOST_TEST(!decode_base64(bad), bad);
  }
}

BOOST_AUTO_TEST_CASE(lines_are_found_wherever_the_pieces_end) {
  test::Random random;
  for (int round = 0; round < 20; ++round) {
    Words expected;
    std::string all;
    const std::size_t count = random.below(2000);
    for (std::size_t i = 0; i < count; ++i) {
      expected.push_back(random.text(random.chance(5) ? 100'000 : 60));
      all += expected.back() + "\n";
    }
    if (random.chance(50) && !expected.empty() && !expected.back().empty()) all.pop_back();
    const base::Fd fd = file_of(all);
    Lines lines(fd.get(), "a test");
    Words found;
    while (const auto line = lines.next()) found.emplace_back(*line);
    BOOST_TEST((found == expected));
    BOOST_TEST(!lines.next());
  }
}

BOOST_AUTO_TEST_CASE(json_of_others_keeps_its_spelling) {
  BOOST_TEST(one_line("{\n \"a b\" : [ 1.50 , \"x \\\" y\" ]\r\n}\t") == R"({"a b":[1.50,"x \" y"]})");
  BOOST_TEST(is_json("1e999") == false);
  BOOST_TEST(is_json("[1,]") == false);
  BOOST_CHECK_NO_THROW(check_json(std::string(100'000, '[') + std::string(100'000, ']')));
  BOOST_CHECK_THROW(check_json(""), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(our_json_escapes_what_it_must) {
  BOOST_TEST(json_string("a\"\\\n\x01\x7f") == "\"a\\\"\\\\\\n\\u0001\x7f\"");
  BOOST_TEST(json_string("\xff") == R"({"base64":"/w=="})");
  BOOST_TEST(Json().text() == "{}");
  const std::string text = Json::line().add("n", -1).add("d", 0.5).add("b", true).add("o", std::optional<int>()).text();
  BOOST_TEST(text == R"({"v":1,"n":-1,"d":0.5,"b":true,"o":null})");
  BOOST_TEST(Json().add_named("a\"\xff", "x").text() == "{\"a\\\"\xef\xbf\xbd\":\"x\"}");
}

BOOST_AUTO_TEST_CASE(columns_are_aligned_and_fit) {
  Table table({{"N", true}, {"NAME"}, {"TEXT"}});
  table.row({{"1"}, {"ä漢"}, {"a text that is long"}});
  table.row({{"22"}, {""}, {"b\n"}});
  BOOST_TEST(printed(table, 0) == " N  NAME  TEXT\n 1  ä漢   a text that is long\n22        b\\n\n");
  BOOST_TEST(printed(table, 20, false) == " 1  ä漢  a text tha…\n22       b\\n\n");
  BOOST_TEST(printed(table, 5, false) == " 1  ä漢  a text …\n22       b\\n\n");  // too narrow for anything else
}

BOOST_AUTO_TEST_CASE(widths_are_those_of_characters) {
  BOOST_TEST(display_width("e\xcc\x81") == 1u);  // with an accent of its own
  BOOST_TEST(display_width("漢字") == 4u);
  BOOST_TEST(cut_to_width("漢字", 3) == "漢…");
  BOOST_TEST(cut_to_width("漢字", 2) == "…");
  BOOST_TEST(cut_to_width("abc", 3) == "abc");
  BOOST_TEST(cut_to_width("abc", 0) == "");
}

BOOST_AUTO_TEST_CASE(words_for_people) {
  BOOST_TEST(command_line({"echo", "", "a b", "it's", "ü", "$x"}) == "echo '' 'a b' 'it'\\''s' ü '$x'");
  BOOST_TEST(short_duration(59s) == "59s");
  BOOST_TEST(short_duration(61min) == "1h");
  BOOST_TEST(short_duration(49h) == "2d");
  BOOST_TEST(short_duration(-5s) == "-5s");
  BOOST_TEST(took(999ms) == "999ms");
  BOOST_TEST(took(1234ms) == "1.2s");
  BOOST_TEST(took(61'500ms) == "1m1s");
  BOOST_TEST(took(-1s) == "0ms");
  BOOST_TEST(byte_count(999) == "999 bytes");
  BOOST_TEST(byte_count(1'234'000) == "1.2 MB");
  BOOST_TEST(count_of(1, "job") == "1 job");
  BOOST_TEST(count_of(0, "job") == "0 jobs");
  BOOST_TEST(bar(0) == "[........................]");
  BOOST_TEST(bar(2) == "[########################]");
}

BOOST_AUTO_TEST_CASE(codes_of_failures_and_of_jobs) {
  BOOST_TEST(exit_code_of(InvalidArgument("")) == 2);
  BOOST_TEST(exit_code_of(NotFound("")) == 3);
  BOOST_TEST(exit_code_of(Conflict("")) == 4);
  BOOST_TEST(exit_code_of(QueueFull("")) == 5);
  BOOST_TEST(exit_code_of(DiskFull("", ENOSPC)) == 7);
  BOOST_TEST(exit_code_of(CodecError("")) == 7);
  BOOST_TEST(exit_code_of(std::bad_alloc()) == 7);
  BOOST_TEST(exit_code_of(Result{State::succeeded, {}, "", 0}) == 0);
  BOOST_TEST(exit_code_of(Result{State::failed, {}, "exit status 3", 3}) == 3);
  BOOST_TEST(exit_code_of(Result{State::failed, {}, "its worker died", 0}) == 1);
  BOOST_TEST(exit_code_of(Result{State::failed, {}, "timed out after 1s (killed by SIGTERM)", 143}) == 124);
  BOOST_TEST(exit_code_of(Result{State::cancelled, {}, "", 143}) == 8);
  BOOST_TEST(exit_code_of(Result{State::expired, {}, "", std::nullopt}) == 8);
}

// --- words to values ----------------------------------------------------------------------------------------------------

struct Example {
  bool flag = false;
  bool other = false;
  std::string value;
  Words each;
  Words ids;
  Words command;
  Parameters parameters;

  explicit Example(bool takes_command = false) {
    parameters.flag("-a,--flag", flag, "a flag");
    parameters.flag("-b", other, "another");
    parameters.option("-v,--value", "VALUE", value, "a value");
    parameters.each(
        "--each", "X", [this](const std::string& text) { each.push_back(text); }, "several");
    if (takes_command) {
      parameters.command(command);
    } else {
      parameters.positional({"ID", Offer::jobs, true, true, [this](const std::string& text) { ids.push_back(text); }});
    }
  }
  std::string_view parse(const Words& words) { return cli::parse(parameters, words); }
};

BOOST_AUTO_TEST_CASE(options_may_stand_among_arguments) {
  Example example;
  BOOST_TEST(example.parse({"1", "-ab", "2", "--value", "x", "--each=a", "--each", "b", "5", "--", "-6"}) == "");
  BOOST_TEST(example.flag);
  BOOST_TEST(example.other);
  BOOST_TEST(example.value == "x");
  BOOST_TEST(example.each == (Words{"a", "b"}));
  BOOST_TEST(example.ids == (Words{"1", "2", "5", "-6"}));
}

BOOST_AUTO_TEST_CASE(flags_and_a_value_may_be_written_together) {
  Example example;
  BOOST_TEST(example.parse({"-abvx", "1"}) == "");
  BOOST_TEST(example.value == "x");
  Example last;
  last.parse({"-v", "a", "-v", "-5", "1"});
  BOOST_TEST(last.value == "-5");
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_named) {
  BOOST_TEST(Example().parse({"-a"}) == "ID");
  BOOST_TEST(Example(true).parse({"-a"}) == "COMMAND");
  BOOST_CHECK_THROW(Example().parse({"1", "--value"}), InvalidArgument);
  BOOST_CHECK_THROW(Example().parse({"1", "--value="}), InvalidArgument);
  BOOST_CHECK_THROW(Example().parse({"1", "--nothing"}), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(a_command_begins_where_the_options_end) {
  const auto command = [](const Words& words) {
    Example example(true);
    example.parse(words);
    return example.command;
  };
  BOOST_TEST(command({"-a", "sh", "-c", "-v"}) == (Words{"sh", "-c", "-v"}));
  BOOST_TEST(command({"-av", "x", "sh"}) == (Words{"sh"}));
  BOOST_TEST(command({"--", "--", "x"}) == (Words{"--", "x"}));
  BOOST_TEST(command({"--", "-a", "--", "x"}) == (Words{"-a", "--", "x"}));
  BOOST_TEST(command({"--each=x", "", "y"}) == (Words{"", "y"}));
  BOOST_TEST(command({"-v5", "-", "y"}) == (Words{"-", "y"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::cli
