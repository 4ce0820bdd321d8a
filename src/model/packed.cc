#include "model/packed.hpp"

#include "base/fail.hpp"
#include "model/job_record.hpp"
#include "model/records.hpp"

#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/vector.hpp>
#include <concepts>
#include <istream>
#include <ostream>
#include <streambuf>
#include <utility>

namespace tq::model {
namespace {

constexpr std::uint8_t kVersion = 1;  // of each of these values
// Far above what can be written; a check before anything is read.
constexpr std::size_t kMaxDetailsBytes = 64 * 1024;
constexpr std::size_t kMaxWorkerBytes = 1024 * 1024;

// The orders of the bytes on disk: never change one, make a new version.
template <class Archive, class Value>
void archive_details(Archive& archive, Value& v) {
  archive(v.payload_codec, v.result_codec, v.labels);
}

template <class Archive, class Value>
void archive_worker(Archive& archive, Value& v) {
  archive(v.pid, v.pid_started, v.guard_pid, v.token, v.host, v.started_ms, v.concurrency, v.max_crashes, v.stopping,
          v.queues, v.tasks);
}

template <class Archive, class Value>
void archive_command(Archive& archive, Value& v) {
  archive(v.argv, v.env, v.cwd, v.stdin_data);
}

// Appends to a string.
class Sink : public std::streambuf {
 public:
  explicit Sink(std::string& bytes) : bytes_(bytes) {}

 private:
  std::streamsize xsputn(const char* from, std::streamsize size) override {
    bytes_.append(from, static_cast<std::size_t>(size));
    return size;
  }
  int_type overflow(int_type c) override {
    if (!traits_type::eq_int_type(c, traits_type::eof())) bytes_.push_back(traits_type::to_char_type(c));
    return traits_type::not_eof(c);
  }

  std::string& bytes_;
};

// Reads bytes that stay where they are, and knows how many are left.
class Source : public std::streambuf {
 public:
  explicit Source(std::string_view bytes) {
    char* const begin = const_cast<char*>(bytes.data());  // a get area is never written to
    setg(begin, begin, begin + bytes.size());
  }
  std::size_t left() const { return static_cast<std::size_t>(egptr() - gptr()); }
};

// The least bytes that an element of a container takes: cereal writes the size of a string in eight.
template <class Element>
constexpr std::size_t kLeastBytes = 8;
template <class First, class Second>
constexpr std::size_t kLeastBytes<std::pair<First, Second>> = kLeastBytes<First> + kLeastBytes<Second>;

// cereal's input archive, but for containers: cereal resizes those to whatever the bytes say before it looks whether they go
// on for that long. Here a size beyond what is left is refused, so that memory stays in proportion to the bytes.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : source_(bytes), archive_(stream_of(source_)) {}

  template <class... Fields>
  void operator()(Fields&... fields) {
    (read(fields), ...);
  }
  bool done() const { return source_.left() == 0; }

 private:
  template <std::integral Number>
  void read(Number& number) {
    archive_(number);
  }
  void read(bool& flag) {
    std::uint8_t byte = 0;  // because a bool that is neither 0 nor 1 is undefined behaviour
    archive_(byte);
    if (byte > 1) throw cereal::Exception("a flag is neither 0 nor 1");
    flag = byte != 0;
  }
  void read(std::string& text) {
    text.resize(read_size(1));
    archive_(cereal::binary_data(text.data(), text.size()));
  }
  template <class First, class Second>
  void read(std::pair<First, Second>& pair) {
    read(pair.first);
    read(pair.second);
  }
  template <class Element>
  void read(std::vector<Element>& list) {
    list.resize(read_size(kLeastBytes<Element>));
    for (Element& element : list) read(element);
  }
  // The size of a container whose elements take `element_bytes` or more.
  std::size_t read_size(std::size_t element_bytes) {
    cereal::size_type size = 0;
    archive_(cereal::make_size_tag(size));
    if (size > source_.left() / element_bytes) throw cereal::Exception("a size is beyond the end");
    return static_cast<std::size_t>(size);
  }

  // To make a stream takes longer than to read a record from it, so that each thread keeps one.
  static std::istream& stream_of(Source& source) {
    thread_local std::istream stream(nullptr);
    stream.rdbuf(&source);
    return stream;
  }

  Source source_;
  cereal::PortableBinaryInputArchive archive_;
};

template <class Fields>
std::string pack(Fields fields) {
  std::string bytes(1, static_cast<char>(kVersion));
  Sink sink(bytes);
  thread_local std::ostream stream(nullptr);  // as above
  stream.rdbuf(&sink);
  cereal::PortableBinaryOutputArchive archive(stream, cereal::PortableBinaryOutputArchive::Options::LittleEndian());
  fields(archive);
  return bytes;
}

template <class Fields>
void unpack(std::string_view what, std::string_view bytes, Fields fields) {
  if (bytes.empty()) base::fail<Damaged>("{} are empty", what);
  const auto version = static_cast<unsigned char>(bytes.front());
  if (version != kVersion) base::fail<Damaged>("{} are of version {}, which is not known", what, version);
  try {
    Unpacker unpacker(bytes.substr(1));
    fields(unpacker);
    if (unpacker.done()) return;
  } catch (const std::bad_alloc&) {
    throw;  // says nothing of the bytes, whose sizes are checked before anything is allocated
  } catch (const std::exception& error) {
    base::fail<Damaged>("{} cannot be read: {}", what, error.what());
  }
  base::fail<Damaged>("{} do not end where they should", what);
}

void check_size(std::string_view what, std::string_view bytes, std::size_t limit) {
  if (bytes.size() > limit) base::fail<Damaged>("{} have {} bytes: at most {} are believed", what, bytes.size(), limit);
}

}  // namespace

std::string pack(const JobDetails& details) {
  if (details == JobDetails{}) return {};
  return pack([&details](auto& archive) { archive_details(archive, details); });
}

JobDetails unpack_details(std::string_view bytes) {
  JobDetails details;
  if (bytes.empty()) return details;
  check_size("a job's details", bytes, kMaxDetailsBytes);
  unpack("a job's details", bytes, [&details](auto& archive) { archive_details(archive, details); });
  return details;
}

std::string encode(const WorkerRecord& record) {
  return pack([&record](auto& archive) { archive_worker(archive, record); });
}

WorkerRecord decode_worker(std::string_view bytes) {
  WorkerRecord record;
  check_size("a worker's fields", bytes, kMaxWorkerBytes);
  unpack("a worker's fields", bytes, [&record](auto& archive) { archive_worker(archive, record); });
  return record;
}

std::string pack(const Command& command) {
  return pack([&command](auto& archive) { archive_command(archive, command); });
}

Command unpack_command(std::string_view bytes) {
  Command command;
  unpack("a command's fields", bytes, [&command](auto& archive) { archive_command(archive, command); });
  return command;
}

}  // namespace tq::model
