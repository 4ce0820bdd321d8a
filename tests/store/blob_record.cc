#include "store/blob_record.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::store {
namespace {

BlobRecord whole(std::string_view bytes) { return {BlobForm::whole, bytes.size(), 0, "", bytes}; }
BlobRecord elsewhere(BlobForm form, std::uint64_t size, std::uint32_t checksum, const std::string& file = "") {
  return {form, size, checksum, file, ""};
}

BOOST_AUTO_TEST_SUITE(blob_record)

BOOST_AUTO_TEST_CASE(the_three_forms_are_as_the_document_says) {
  BOOST_TEST((encode_blob(whole("abc")) == "\x01"
                                           "abc"));
  BOOST_TEST((encode_blob(elsewhere(BlobForm::chunks, 0x0102, 0x0a0b0c0d)) ==
              std::string("\x02\x02\x01\0\0\0\0\0\0\x0d\x0c\x0b\x0a", 13)));
  BOOST_TEST((encode_blob(elsewhere(BlobForm::file, 1, 2, "0123456789abcdef")) ==
              std::string("\x03\x01\0\0\0\0\0\0\0\x02\0\0\0", 13) + "0123456789abcdef"));
}

BOOST_AUTO_TEST_CASE(a_record_comes_back) {
  const std::string encoded = encode_blob(elsewhere(BlobForm::file, 70'000, 5, "name"));
  const BlobRecord record = decode_blob(encoded).value();
  BOOST_TEST((record.form == BlobForm::file));
  BOOST_TEST(record.size == 70'000u);
  BOOST_TEST(record.checksum == 5u);
  BOOST_TEST(record.file == "name");
  const std::string in_record = encode_blob(whole("abc"));
  BOOST_TEST(decode_blob(in_record)->bytes == "abc");
  BOOST_TEST(decode_blob(in_record)->size == 3u);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_record_are_nothing) {
  BOOST_TEST(!decode_blob("").has_value());
  BOOST_TEST(!decode_blob(std::string_view("\0", 1)).has_value());
  BOOST_TEST(!decode_blob("\x04 of an unknown form").has_value());
  BOOST_TEST(!decode_blob("\x02 short").has_value());
  const std::string without_name = encode_blob(elsewhere(BlobForm::file, 1, 2));
  BOOST_TEST(!decode_blob(without_name).has_value());
  const std::string with_name = encode_blob(elsewhere(BlobForm::chunks, 1, 2, "name"));
  BOOST_TEST(!decode_blob(with_name).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
