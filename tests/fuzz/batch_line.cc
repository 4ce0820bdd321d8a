// A line of `tq put --batch`: a job, or an error with a text.
#include "cli/batch_line.hpp"
#include "fuzz/fuzz.hpp"

using namespace tq;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line = fuzz::view(data, size);
  const cli::JobOptions defaults;
  fuzz::accepts([&] {
    const JobSpec one = cli::read_job(line, defaults, "task");
    const JobSpec same = cli::read_job(line, defaults, one.task);
    fuzz::require(!one.task.empty() && one.payload == same.payload, "a line means one job");
  });
  return 0;
}
