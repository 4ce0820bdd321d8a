// Durations and times as people and files write them.
#pragma once

#include <tq/types.hpp>

#include <string>
#include <string_view>

namespace tq::base {

// "500ms", "10s", "5m", "2h", "3d", or several in a row, the largest unit first ("1h30m"). Throws InvalidArgument that says
// what is right; also for negative ones and those beyond kMaxDuration.
Duration parse_duration(std::string_view text);
// The exact spelling with the largest units that parse_duration reads back: "1m30s", "0s". What it would not read back, it
// spells for an error's text: "-5s".
std::string format_duration(Duration duration);

// RFC 3339 ("2026-01-31T12:00:00Z", with offset, with a fraction), "HH:MM" (the next one, local time), "+10m", "tomorrow 09:00",
// "today 18:30". A local time that the clocks leave out that day means the first one after it. Throws InvalidArgument that
// says what is right.
Time parse_time(std::string_view text, Time now);
// RFC 3339, UTC, milliseconds: "2026-01-31T12:00:00.000Z". That has four digits for the year: what is beyond them is shown as
// the first or last time that fits.
std::string format_time(Time time);

}  // namespace tq::base
