#include "worker/output_buffer.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::worker {
namespace {

const engine::RunKey kKey{7, 1, 3};

std::string text(const std::vector<engine::Piece>& pieces) {
  std::string text;
  for (const engine::Piece& piece : pieces) text += piece.bytes;
  return text;
}

BOOST_AUTO_TEST_SUITE(output_buffer)

BOOST_AUTO_TEST_CASE(pieces_of_one_stream_that_follow_each_other_are_one) {
  OutputBuffer buffer(0, 1000);
  buffer.add({}, Stream::out, "a");
  buffer.add({}, Stream::out, "b");
  buffer.add({}, Stream::err, "c");
  buffer.add({}, Stream::out, "d");
  buffer.add({}, Stream::out, "");
  const OutputPart part = buffer.take(kKey);
  BOOST_TEST(part.key.job == 7u);
  BOOST_REQUIRE(part.head.size() == 3u);
  BOOST_TEST(part.head[0].bytes == "ab");
  BOOST_TEST(text(part.head) == "abcd");
  BOOST_TEST(part.tail.empty());
  BOOST_TEST(part.skipped_bytes == 0u);
}

BOOST_AUTO_TEST_CASE(it_is_empty_when_all_was_taken) {
  OutputBuffer buffer(0, 1000);
  BOOST_TEST(buffer.empty());
  buffer.add({}, Stream::out, "a");
  BOOST_TEST(!buffer.empty());
  buffer.take(kKey);
  BOOST_TEST(buffer.empty());
  BOOST_TEST(text(buffer.take(kKey).head) == "");
}

BOOST_AUTO_TEST_CASE(half_of_the_limit_is_head_and_the_rest_tail) {
  OutputBuffer buffer(0, 10);
  buffer.add({}, Stream::out, "01234567");
  buffer.add({}, Stream::out, "89");
  const OutputPart part = buffer.take(kKey);
  BOOST_TEST(text(part.head) == "01234");
  BOOST_TEST(text(part.tail) == "56789");
}

BOOST_AUTO_TEST_CASE(what_the_log_holds_already_counts_for_the_head) {
  OutputBuffer buffer(3, 10);
  buffer.add({}, Stream::out, "0123");
  BOOST_TEST(text(buffer.take(kKey).head) == "01");
  OutputBuffer full(100, 10);
  full.add({}, Stream::out, "0123");
  BOOST_TEST(text(full.take(kKey).tail) == "0123");
}

BOOST_AUTO_TEST_CASE(of_what_comes_too_fast_the_newest_is_kept_and_the_rest_counted) {
  OutputBuffer buffer(0, 2000);
  const std::string block(1000, 'x');
  for (int i = 0; i < 10'000; ++i) buffer.add({}, Stream::out, block);
  buffer.add({}, Stream::out, "end");
  const OutputPart part = buffer.take(kKey);
  BOOST_TEST(text(part.head).size() == 1000u);
  BOOST_TEST(text(part.tail).ends_with("end"));
  BOOST_TEST(text(part.tail).size() <= 256u * 1024);
  BOOST_TEST(text(part.head).size() + part.skipped_bytes + text(part.tail).size() == 10'000'003u);
}

BOOST_AUTO_TEST_CASE(one_huge_write_is_bounded_too) {
  OutputBuffer buffer(0, 2000);
  buffer.add({}, Stream::out, std::string(10'000'000, 'x') + "end");
  const OutputPart part = buffer.take(kKey);
  BOOST_TEST(text(part.tail).ends_with("end"));
  BOOST_TEST(text(part.head).size() + part.skipped_bytes + text(part.tail).size() == 10'000'003u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::worker
