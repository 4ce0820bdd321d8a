#include "engine/output.hpp"

#include "world.hpp"

namespace tq::engine {
namespace {

struct Output : World {
  const WorkerId w = worker();
  const Claimed job = start(w);

  // What is kept, with "#" where bytes were dropped.
  std::string text(std::uint64_t after = 0, std::size_t max_bytes = 1 << 20) {
    std::string text;
    for (const LogChunk& chunk : output(job.id, after, max_bytes))
      text += chunk.stream == Stream::note ? "#" : chunk.bytes;
    return text;
  }
  // Writes "0123456789..." one byte a piece.
  void write_digits(int count, std::uint64_t limit) {
    std::vector<Piece> pieces;
    for (int i = 0; i < count; ++i)
      pieces.push_back({clock.now(), Stream::out, std::string(1, static_cast<char>('0' + i % 10))});
    change([&](Ledger& ledger) { append_output(ledger, key(job), pieces, 0, limit); });
  }
};

BOOST_FIXTURE_TEST_SUITE(output_, Output)

BOOST_AUTO_TEST_CASE(output_comes_back_in_the_order_in_which_it_came) {
  const std::vector<Piece> pieces{
      {kStart, Stream::out, "one"}, {kStart + 1s, Stream::err, "two"}, {kStart + 2s, Stream::note, "x\0y"}};
  BOOST_TEST(change([&](Ledger& ledger) { return append_output(ledger, key(job), pieces, 0, 1000); }));
  BOOST_TEST(touched.output);
  write(job, "four", 1000);
  const std::vector<LogChunk> chunks = output(job.id);
  BOOST_TEST_REQUIRE(chunks.size() == 4u);
  BOOST_TEST(chunks[1].bytes == "two");
  BOOST_TEST((chunks[1].stream == Stream::err));
  BOOST_TEST((chunks[1].time == kStart + 1s));
  BOOST_TEST(chunks[1].attempt == 1u);
  BOOST_TEST(chunks[3].bytes == "four");
  for (std::size_t i = 0; i < chunks.size(); ++i) BOOST_TEST(chunks[i].seq == i + 1);
  BOOST_TEST(info(job.id).log_bytes == 11u);
  BOOST_TEST(info(job.id).log_dropped_bytes == 0u);
}

BOOST_AUTO_TEST_CASE(a_reader_goes_on_after_what_it_has_seen) {
  write_digits(6, 1000);
  BOOST_TEST(text(0) == "012345");
  BOOST_TEST(text(2) == "2345");
  BOOST_TEST(text(6).empty());
  BOOST_TEST(text(7).empty());
  BOOST_TEST(text(UINT64_MAX).empty());
  BOOST_TEST(text(1, 2) == "12");
  BOOST_TEST(text(0, 0).empty());
}

BOOST_AUTO_TEST_CASE(a_long_piece_is_kept_in_several) {
  const std::string bytes(100'000, 'x');
  write(job, bytes, 1 << 20);
  BOOST_TEST((text() == bytes));
  BOOST_TEST(info(job.id).log_bytes == bytes.size());
}

BOOST_AUTO_TEST_CASE(empty_output_is_none) {
  write(job, "");
  BOOST_TEST(output(job.id).empty());
  BOOST_TEST(info(job.id).log_bytes == 0u);
}

BOOST_AUTO_TEST_CASE(of_too_much_output_the_head_and_the_tail_are_kept_with_a_note_between) {
  write_digits(10, 10);
  BOOST_TEST(text() == "0123456789");  // as much as is kept: nothing is dropped
  write_digits(1, 10);
  BOOST_TEST(text() == "01234#67890");
  write_digits(8, 10);
  BOOST_TEST(text() == "01234#34567");
  BOOST_TEST(info(job.id).log_bytes == 10u);
  BOOST_TEST(info(job.id).log_dropped_bytes == 9u);
  const LogChunk note = output(job.id).at(5);
  BOOST_TEST((note.stream == Stream::note));
  BOOST_TEST(note.seq == 5u);
  BOOST_TEST(note.bytes.find("9 bytes") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_follower_is_told_of_what_was_dropped_before_it_came_there) {
  write_digits(30, 10);
  BOOST_TEST(text(3) == "34#56789");
  BOOST_TEST(text(5) == "#56789");   // it has seen the head
  BOOST_TEST(text(10) == "#56789");  // it was in the gap
  BOOST_TEST(text(25) == "56789");   // it is up to date
  BOOST_TEST(text(27) == "789");
  BOOST_TEST(text(30).empty());
}

BOOST_AUTO_TEST_CASE(a_piece_over_the_head_is_cut_there) {
  write(job, "0123456789abcdef", 20);
  BOOST_TEST(text() == "0123456789abcdef");
  BOOST_TEST(output(job.id).at(0).bytes == "0123456789");
  write(job, "ghijklmnop", 20);
  BOOST_TEST(text() == "0123456789#ghijklmnop");
}

BOOST_AUTO_TEST_CASE(bytes_that_were_never_handed_over_count_as_dropped) {
  write(job, "abc", 100);
  write(job, "xyz", 100, 1000);
  BOOST_TEST(text() == "abc#xyz");
  BOOST_TEST(info(job.id).log_dropped_bytes == 1000u);
  BOOST_TEST(info(job.id).log_bytes == 6u);
}

BOOST_AUTO_TEST_CASE(also_when_they_were_the_first_or_the_last) {
  write(job, "abc", 100, 7);
  BOOST_TEST(text() == "#abc");
  BOOST_TEST(text(1).empty());
  write(job, "def", 100);
  BOOST_TEST(text() == "#abcdef");
  const Claimed other = start(w);
  write(other, "abc", 100);
  write(other, "", 100, 5);
  BOOST_TEST(info(other.id).log_dropped_bytes == 5u);
}

BOOST_AUTO_TEST_CASE(a_job_keeps_as_much_over_all_its_attempts) {
  write(job, "first ", 40);
  finish(job, failed());
  clock.advance(1h);
  fire_due();
  const Claimed second = claim_one(w);
  write(second, "second", 40);
  BOOST_TEST(text() == "first second");
  BOOST_TEST(output(job.id).at(0).attempt == 1u);
  BOOST_TEST(output(job.id).at(1).attempt == 2u);
  BOOST_TEST(!write(job, "late", 40));
  BOOST_TEST(!changed);
}

BOOST_AUTO_TEST_CASE(the_limit_may_change_between_writes) {
  write_digits(10, 100);
  write_digits(10, 10);
  BOOST_TEST(text() == "0123456789#56789");
  write_digits(10, 100);
  BOOST_TEST(text() == "0123456789#567890123456789");
  write_digits(1, 0);
  BOOST_TEST(text() == "0123456789");
  BOOST_TEST(info(job.id).log_dropped_bytes == 21u);
}

BOOST_AUTO_TEST_CASE(almost_nothing_may_be_kept) {
  for (const std::uint64_t limit : {0u, 1u, 2u, 3u}) {
    const Claimed other = start(w);
    write(other, "abc", limit);
    write(other, "def", limit);
    const JobInfo now = info(other.id);
    BOOST_TEST(now.log_bytes <= limit + 1);
    BOOST_TEST(now.log_bytes + now.log_dropped_bytes == 6u);
  }
}

BOOST_AUTO_TEST_CASE(the_output_of_one_job_is_not_that_of_its_neighbour) {
  const Claimed next = start(w);
  write(job, "mine");
  write(next, "theirs");
  BOOST_TEST(text() == "mine");
  BOOST_TEST(output(next.id).size() == 1u);
  finish(job, succeeded());
  remove(job.id);
  BOOST_TEST(output(next.id).at(0).bytes == "theirs");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
