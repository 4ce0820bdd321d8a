// What nearly every test includes, compiled once for each test program. The sources include what they use all the same:
// `./dev tidy` compiles without this.
#include <tq/tq.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>
