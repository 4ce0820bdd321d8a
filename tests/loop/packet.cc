#include "loop/packet.hpp"

#include <tq/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

using namespace tq::loop;
using tq::guard::Report;
using tq::guard::Request;
using tq::guard::What;

namespace {

struct Sockets {
  tq::base::Fd ours;
  tq::base::Fd theirs;
  Sockets() {
    int ends[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    ours = tq::base::Fd(ends[0]);
    theirs = tq::base::Fd(ends[1]);
  }
};

struct Received {
  Request request{};
  std::string body;
  std::vector<tq::base::Fd> fds;
};

Received receive(int socket) {
  std::string bytes(100'000, '\0');
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))];
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  BOOST_REQUIRE(size >= static_cast<ssize_t>(sizeof(Request)));
  Received received;
  std::memcpy(&received.request, bytes.data(), sizeof(Request));
  received.body = bytes.substr(sizeof(Request), static_cast<std::size_t>(size) - sizeof(Request));
  if (const cmsghdr* header = CMSG_FIRSTHDR(&message)) {
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
      received.fds.emplace_back(fd);
    }
  }
  return received;
}

Received sent(const ChildSpec& spec) {
  const Sockets sockets;
  const SpawnPacket packet(7, spec, "token");
  BOOST_TEST(packet.send(sockets.ours.get(), STDOUT_FILENO, STDERR_FILENO) == 0);
  return receive(sockets.theirs.get());
}

std::string body_of(const Received& received) {
  return received.request.body_is_file == 0 ? received.body : [&] {
    BOOST_REQUIRE(::lseek(received.fds.back().get(), 0, SEEK_SET) == 0);
    return tq::base::read_all(received.fds.back().get(), "body");
  }();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(loop_packet)

BOOST_AUTO_TEST_CASE(a_spawn_is_directory_arguments_and_environment) {
  const Received received = sent({.argv = {"a", "", "c d"}, .env = {{"N", "v"}, {"M", ""}}, .cwd = "/tmp"});
  BOOST_TEST((received.request.verb == tq::guard::Verb::spawn));
  BOOST_TEST(received.request.child == 7u);
  BOOST_TEST(received.request.argc == 3u);
  BOOST_TEST(received.request.envc == 3u);
  BOOST_TEST(received.request.has_input == 0);
  BOOST_TEST(received.body == std::string("/tmp\0a\0\0c d\0N=v\0M=\0TQ_GUARD=token.7\0", 36));
  BOOST_TEST(received.request.body_size == received.body.size());
  BOOST_TEST(received.fds.size() == 2u);
}

BOOST_AUTO_TEST_CASE(an_input_is_sent_along) {
  ChildSpec spec{.argv = {"a"}, .cwd = "/"};
  spec.input = tq::base::Fd(::dup(STDOUT_FILENO));
  const Received received = sent(spec);
  BOOST_TEST(received.request.has_input == 1);
  BOOST_TEST(received.fds.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_body_is_sent_as_a_file_from_a_size_on) {
  for (const std::size_t size : {std::size_t{10}, std::size_t{tq::guard::kMaxInlineBody}, std::size_t{2'000'000}}) {
    ChildSpec spec{.argv = {"a", std::string(size, 'x')}, .cwd = "/"};
    const Received received = sent(spec);
    BOOST_TEST((received.request.body_is_file != 0) == (size >= tq::guard::kMaxInlineBody));
    BOOST_TEST(
        (body_of(received) == std::string("/\0a\0", 4) + std::string(size, 'x') + '\0' + "TQ_GUARD=token.7" + '\0'));
    BOOST_TEST(received.request.body_size == body_of(received).size());
  }
}

BOOST_AUTO_TEST_CASE(what_can_be_no_command_is_refused) {
  const std::string nul("\0", 1);
  BOOST_CHECK_THROW(SpawnPacket(1, ChildSpec{}, "t"), tq::InvalidArgument);
  BOOST_CHECK_THROW(SpawnPacket(1, ChildSpec{.argv = {nul}}, "t"), tq::InvalidArgument);
  BOOST_CHECK_THROW(SpawnPacket(1, ChildSpec{.argv = {"a"}, .env = {{nul, ""}}}, "t"), tq::InvalidArgument);
  BOOST_CHECK_THROW(SpawnPacket(1, ChildSpec{.argv = {"a"}, .cwd = nul}, "t"), tq::InvalidArgument);
}

BOOST_AUTO_TEST_CASE(sending_to_nobody_is_an_error_and_no_signal) {
  Sockets sockets;
  sockets.theirs.reset();
  BOOST_TEST(send_request(sockets.ours.get(), {}, {}, {}) == EPIPE);
}

BOOST_AUTO_TEST_CASE(sending_without_waiting_says_when_there_is_no_room) {
  const Sockets sockets;
  int code = 0;
  for (int i = 0; i < 100'000 && code == 0; ++i) code = send_request(sockets.ours.get(), {}, {}, {}, MSG_DONTWAIT);
  BOOST_TEST(code == EAGAIN);
}

BOOST_AUTO_TEST_CASE(a_report_is_received_when_there_is_one) {
  Sockets sockets;
  bool ended = false;
  BOOST_TEST(!receive_report(sockets.ours.get(), ended).has_value());
  BOOST_TEST(!ended);
  const Report report{What::exited, 3, 7};
  BOOST_REQUIRE(::send(sockets.theirs.get(), &report, sizeof report, 0) == sizeof report);
  const auto received = receive_report(sockets.ours.get(), ended);
  BOOST_TEST(received.value().code == 3);
  BOOST_TEST(received.value().child == 7u);
  BOOST_TEST(!ended);
  sockets.theirs.reset();
  BOOST_TEST(!receive_report(sockets.ours.get(), ended).has_value());
  BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(a_report_of_one_that_ended_without_taking_its_request_is_received) {
  // The kernel says "reset" first.
  Sockets sockets;
  const Report report{What::not_started, ENOMEM, 0};
  BOOST_REQUIRE(send_request(sockets.ours.get(), {}, {}, {}) == 0);
  BOOST_REQUIRE(::send(sockets.theirs.get(), &report, sizeof report, 0) == sizeof report);
  sockets.theirs.reset();
  bool ended = false;
  const auto received = receive_report(sockets.ours.get(), ended);
  BOOST_REQUIRE(received.has_value());
  BOOST_TEST(received->code == ENOMEM);
  BOOST_TEST(!ended);
  BOOST_TEST(!receive_report(sockets.ours.get(), ended).has_value());
  BOOST_TEST(ended);
}

BOOST_AUTO_TEST_SUITE_END()
