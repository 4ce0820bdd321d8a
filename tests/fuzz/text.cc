// What people write on a command line; the first byte says what it is to be. What is spelled out again is read as the same.
#include "base/time_text.hpp"
#include "cli/ids.hpp"
#include "cli/values.hpp"
#include "fuzz/fuzz.hpp"

using namespace tq;

namespace {

constexpr Time kNow{Duration{1'767'225'600'000}};

void check_duration(const std::string& text) {
  const Duration duration = base::parse_duration(text);
  fuzz::require(duration >= Duration::zero() && duration <= kMaxDuration, "a duration is within its bounds");
  fuzz::require(base::parse_duration(base::format_duration(duration)) == duration, "a duration is what it was");
}

void check_time(const std::string& text) {
  const Time time = base::parse_time(text, kNow);
  const std::string spelled = base::format_time(time);
  fuzz::require(base::format_time(base::parse_time(spelled, kNow)) == spelled, "a time is what it was");
}

void check_ids(const std::string& text) {
  cli::Ids ids;
  ids.add(text);
  fuzz::require(!ids.empty(), "a range has a job");
  if (const auto only = ids.only()) {
    cli::Ids again;
    again.add(std::to_string(*only));
    fuzz::require(again.only() == only, "an id is what it was");
  }
}

template <class T>
void check_value(const std::string& text) {
  T value{};
  cli::read(text, value);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Source source(fuzz::view(data, size));
  const std::uint8_t kind = source.byte();
  const std::string text(source.rest());
  fuzz::accepts([&] {
    switch (kind % 8) {
      case 0:
        return check_duration(text);
      case 1:
        return check_time(text);
      case 2:
        return check_ids(text);
      case 3:
        return check_value<Backoff>(text);
      case 4:
        return check_value<std::int32_t>(text);
      case 5:
        return check_value<std::vector<State>>(text);
      case 6:
        static_cast<void>(cli::read_signal(text));
        return;
      default: {
        EnqueueOptions options;
        return cli::read_expiry(text, options);
      }
    }
  });
  return 0;
}
