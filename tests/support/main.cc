// The one main() of all tests.
#define BOOST_TEST_MODULE tq
#include <boost/test/unit_test.hpp>
