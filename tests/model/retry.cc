#include "model/retry.hpp"

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <limits>
#include <set>

using namespace tq;
using namespace tq::model;
using namespace std::chrono_literals;

namespace {

Backoff exponential(Duration base, Duration cap, double jitter = 0) {
  return {Backoff::Kind::exponential, base, cap, jitter};
}
Backoff constant(Duration base, double jitter = 0) { return {Backoff::Kind::constant, base, 1h, jitter}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(model_retry)

BOOST_AUTO_TEST_CASE(an_exponential_wait_doubles_with_each_retry_up_to_its_cap) {
  const Backoff backoff = exponential(1s, 10s);
  const Duration expected[] = {1s, 2s, 4s, 8s, 10s, 10s};
  for (std::uint32_t retry = 1; retry <= 6; ++retry) {
    BOOST_TEST((retry_delay(backoff, retry, 0) == expected[retry - 1]));
  }
  BOOST_TEST((retry_delay(exponential(1s, 8s), 4, 0) == 8s));
}

BOOST_AUTO_TEST_CASE(a_constant_wait_stays_the_same_and_needs_no_cap) {
  for (const std::uint32_t retry : {1u, 2u, 100u, UINT32_MAX}) {
    BOOST_TEST((retry_delay(constant(5s), retry, 0) == 5s));
    BOOST_TEST((retry_delay(constant(2h), retry, 0) == 2h));
  }
}

BOOST_AUTO_TEST_CASE(no_number_of_retries_overflows) {
  for (const std::uint32_t retry : {32u, 42u, 43u, 62u, 63u, 64u, 65u, 1000u, UINT32_MAX}) {
    BOOST_TEST((retry_delay(exponential(1ms, kMaxDuration), retry, 0) <= kMaxDuration));
    BOOST_TEST((retry_delay(exponential(1s, 1h), retry, 0) == 1h));
    BOOST_TEST((retry_delay(exponential(0s, 1h), retry, 0) == 0s));
  }
}

BOOST_AUTO_TEST_CASE(the_jitter_is_bounded_either_way_and_used) {
  test::Random random;
  for (const double jitter : {0.0, 0.1, 0.25, 1.0}) {
    const Backoff backoff = exponential(10s, 1h, jitter);
    const Duration spread(static_cast<std::int64_t>(10'000 * jitter));
    Duration least = Duration::max(), most{0};
    for (int i = 0; i < 5000; ++i) {
      const Duration delay = retry_delay(backoff, 1, random.number());
      least = std::min(least, delay);
      most = std::max(most, delay);
    }
    BOOST_TEST((least >= 10s - spread));
    BOOST_TEST((most <= 10s + spread));
    BOOST_TEST((least <= 10s - spread * 9 / 10));
    BOOST_TEST((most >= 10s + spread * 9 / 10));
  }
}

BOOST_AUTO_TEST_CASE(the_same_seed_gives_the_same_wait) {
  const Backoff backoff = exponential(1min, 1h, 0.5);
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    BOOST_TEST((retry_delay(backoff, 1, seed) == retry_delay(backoff, 1, seed)));
  }
  BOOST_TEST((retry_delay(backoff, 1, 1) != retry_delay(backoff, 1, 2)));
  BOOST_TEST(retry_delay(backoff, 1, 42).count() == 72144);  // also on another machine
}

BOOST_AUTO_TEST_CASE(whatever_the_policy_the_wait_is_neither_negative_nor_more_than_twice_the_longest) {
  test::Random random;
  const double odd[] = {std::nan(""), -1, 2, 1e300, std::numeric_limits<double>::infinity(), 0.5};
  for (int i = 0; i < 20000; ++i) {
    const Backoff backoff{random.chance(50) ? Backoff::Kind::constant : Backoff::Kind::exponential,
                          Duration(random.any<std::int64_t>()), Duration(random.any<std::int64_t>()),
                          odd[random.below(6)]};
    const Duration delay = retry_delay(backoff, random.any<std::uint32_t>(), random.number());
    BOOST_REQUIRE(delay >= Duration::zero());
    BOOST_REQUIRE(delay <= 2 * kMaxDuration);
  }
}

BOOST_AUTO_TEST_CASE(seeds_differ_between_jobs_and_between_attempts) {
  std::set<std::uint64_t> seeds;
  for (JobId job = 1; job <= 100; ++job) {
    for (std::uint32_t attempt = 1; attempt <= 100; ++attempt) seeds.insert(retry_seed(job, attempt));
  }
  BOOST_TEST(seeds.size() == 10'000u);
  BOOST_TEST(retry_seed(7, 2) == retry_seed(7, 2));
}

BOOST_AUTO_TEST_CASE(jobs_that_failed_together_do_not_return_together) {
  std::set<std::int64_t> waits;
  for (JobId job = 1; job <= 100; ++job) {
    waits.insert(retry_delay(exponential(1min, 1h, 0.1), 1, retry_seed(job, 1)).count());
  }
  BOOST_TEST(waits.size() > 90u);
}

BOOST_AUTO_TEST_SUITE_END()
