// The text of the exception that something is expected to throw.
#pragma once

#include <boost/test/unit_test.hpp>

#include <string>

namespace tq::test {

// Fails the test, and returns "", if `function` throws nothing; lets exceptions of another type through.
template <class Exception, class Function>
std::string message_of(Function function) {
  try {
    function();
  } catch (const Exception& error) {
    return error.what();
  }
  BOOST_ERROR("nothing was thrown");
  return {};
}

}  // namespace tq::test
