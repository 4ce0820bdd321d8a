#include "cli/base64.hpp"

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::cli {
namespace {

BOOST_AUTO_TEST_SUITE(cli_base64)

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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::cli
