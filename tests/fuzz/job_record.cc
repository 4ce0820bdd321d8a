// Records of jobs: what is decoded, encoded and decoded again is the same.
#include "model/job_record.hpp"
#include "fuzz/fuzz.hpp"

using namespace tq;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::view(data, size);
  model::JobHeader header;
  const bool has_header = fuzz::accepts([&] { header = model::decode_job_header(bytes); });
  fuzz::accepts([&] {
    const model::JobRecord record = model::decode_job(bytes);
    fuzz::require(has_header && record.header == header, "a record's header is the one that is decoded alone");
    fuzz::require(model::decode_job(model::encode(record)) == record, "a record is what it was");
    fuzz::require(model::decode_job(model::encode(record, 64)) == record, "room in a record means nothing");
    fuzz::accepts([&] {
      const model::JobDetails details = model::decode_details(record.header, record.details);
      model::JobHeader again = record.header;
      const std::string section = model::encode_details(again, details);
      fuzz::require(model::decode_details(again, section) == details, "details are what they were");
    });
  });
  return 0;
}
