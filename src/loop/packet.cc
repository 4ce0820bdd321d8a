#include "loop/packet.hpp"

#include "base/fail.hpp"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace tq::loop {
namespace {

constexpr std::size_t kMostDescriptors = 4;
constexpr std::string_view kMarkerName{guard::kMarker, sizeof guard::kMarker - 2};  // without its '='

void append_text(std::string& body, std::string_view text) {
  if (text.find('\0') != text.npos) base::fail<InvalidArgument>("a command's texts cannot hold a NUL byte");
  body.append(text) += '\0';
}

base::Fd file_in_memory(const std::string& bytes) {
  base::Fd memory(::memfd_create("tq-command", MFD_CLOEXEC));
  if (!memory) base::throw_system("cannot make a file in memory for a command", errno);
  base::write_all(memory.get(), bytes, "a command's arguments");
  return memory;
}

}  // namespace

int send_request(int socket, const guard::Request& request, std::string_view body, const std::vector<int>& fds,
                 int flags) {
  iovec parts[2] = {{const_cast<guard::Request*>(&request), sizeof request},
                    {const_cast<char*>(body.data()), body.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(kMostDescriptors * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = body.empty() ? 1 : 2;
  if (!fds.empty()) {
    TQ_ASSERT(fds.size() <= kMostDescriptors);
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    auto* const header = reinterpret_cast<cmsghdr*>(control);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
  }
  for (;;) {
    if (::sendmsg(socket, &message, flags | MSG_NOSIGNAL) >= 0) return 0;
    if (errno != EINTR) return errno;
  }
}

SpawnPacket::SpawnPacket(ChildId child, const ChildSpec& spec, std::string_view token) : input_(spec.input.get()) {
  if (spec.argv.empty()) base::fail<InvalidArgument>("there is no command to run");
  request_.verb = guard::Verb::spawn;
  request_.child = child;
  request_.has_input = input_ >= 0;
  append_text(body_, spec.cwd);
  for (const std::string& argument : spec.argv) append_text(body_, argument);
  request_.argc = static_cast<std::uint32_t>(spec.argv.size());
  std::string variable;
  for (const auto& [name, value] : spec.env) {
    if (name == kMarkerName) continue;
    append_text(body_, variable.assign(name).append("=").append(value));
    ++request_.envc;
  }
  append_text(body_, fmt::format("{}{}.{}", guard::kMarker, token, child));
  ++request_.envc;
  request_.body_size = static_cast<std::uint32_t>(body_.size());
  if (body_.size() <= guard::kMaxInlineBody) return;
  request_.body_is_file = 1;
  body_file_ = file_in_memory(body_);
  body_.clear();
}

int SpawnPacket::send(int socket, int output, int error) const {
  std::vector<int> fds{output, error};
  if (input_ >= 0) fds.push_back(input_);
  if (body_file_) fds.push_back(body_file_.get());
  return send_request(socket, request_, body_, fds);
}

std::optional<guard::Report> receive_report(int socket, bool& ended) {
  guard::Report report{};
  ssize_t size;
  // "Reset": it ended before it took all that was sent. What it has said comes after that.
  do size = ::recv(socket, &report, sizeof report, MSG_DONTWAIT);
  while (size < 0 && errno == ECONNRESET);
  if (size == sizeof report) return report;
  ended = size >= 0 || (errno != EAGAIN && errno != EINTR);
  return std::nullopt;
}

}  // namespace tq::loop
