// What a worker and its keepers say to each other. An input is a report, or a command to be sent: then what arrives says the same.
#include "loop/packet.hpp"

#include "base/fail.hpp"
#include "fuzz/fuzz.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace tq;

namespace {

struct Pair {
  Pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) base::throw_system("no sockets", errno);
    near = base::Fd(ends[0]);
    far = base::Fd(ends[1]);
  }
  base::Fd near;
  base::Fd far;
};

void check_report(std::string_view bytes) {
  const Pair pair;
  if (::send(pair.far.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) < 0) return;
  bool ended = false;
  const auto report = loop::receive_report(pair.near.get(), ended);
  if (!report) return;
  fuzz::require(bytes.size() >= sizeof *report, "a report is whole");
  fuzz::require(std::memcmp(bytes.data(), &*report, sizeof *report) == 0, "a report is what was sent");
}

std::vector<std::string> texts(std::string_view body) {
  std::vector<std::string> all;
  for (std::size_t end; (end = body.find('\0')) != body.npos; body.remove_prefix(end + 1)) {
    all.emplace_back(body.substr(0, end));
  }
  return all;
}

void check_spawn(fuzz::Source& source) {
  loop::ChildSpec spec;
  spec.cwd = source.take(source.byte());
  for (std::uint8_t left = source.byte() % 8; left > 0; --left) spec.argv.emplace_back(source.take(source.byte()));
  for (std::uint8_t left = source.byte() % 8; left > 0; --left) {
    std::string name(source.take(source.byte() % 16));
    spec.env.emplace_back(std::move(name), source.take(source.byte()));
  }
  std::vector<std::string> expected = {spec.cwd};
  expected.insert(expected.end(), spec.argv.begin(), spec.argv.end());
  fuzz::accepts([&] {
    const loop::SpawnPacket packet(7, spec, "token");
    const Pair pair;
    fuzz::require(packet.send(pair.near.get(), 1, 2) == 0, "a packet can be sent");
    std::string bytes(64 * 1024, '\0');
    const ssize_t got = ::recv(pair.far.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    guard::Request request{};
    fuzz::require(got >= static_cast<ssize_t>(sizeof request), "a request is whole");
    std::memcpy(&request, bytes.data(), sizeof request);
    const auto body =
        texts(std::string_view(bytes).substr(sizeof request, static_cast<std::size_t>(got) - sizeof request));
    fuzz::require(request.argc == spec.argv.size() && body.size() == 1 + request.argc + request.envc,
                  "texts are counted");
    fuzz::require(std::equal(expected.begin(), expected.end(), body.begin()), "texts are what they were");
    fuzz::require(body.back().starts_with(guard::kMarker), "the marker is there");
  });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Source source(fuzz::view(data, size));
  if (source.byte() % 2 == 0) {
    check_report(source.rest());
  } else {
    check_spawn(source);
  }
  return 0;
}
