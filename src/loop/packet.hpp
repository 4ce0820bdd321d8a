// What is said to guard and keepers, as the worker's end of src/guard/protocol.hpp.
#pragma once

#include "base/fd.hpp"
#include "guard/protocol.hpp"
#include "loop/guard.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tq::loop {

// Sends one message, with copies of the descriptors. 0, or the errno of why not. Waits while the other end has hundreds of
// messages to take, unless `flags` has MSG_DONTWAIT.
int send_request(int socket, const guard::Request& request, std::string_view body, const std::vector<int>& fds,
                 int flags = 0);

// A request to start a command, ready to be sent. One thread at a time.
class SpawnPacket {
 public:
  // Puts the marker into the environment, in place of one that is there: a command that was enqueued by a command brings its
  // own. Throws IoError if the system lacks something, InvalidArgument if there is nothing to run or a NUL in a text.
  SpawnPacket(ChildId child, const ChildSpec& spec, std::string_view token);

  // Gives the command these for its output, and sends. 0, or the errno of why not.
  int send(int socket, int output, int error) const;

 private:
  guard::Request request_{};
  std::string body_;
  base::Fd body_file_;  // if it is too long
  int input_;
};

// What a keeper, or the guard, has said: a report, or nothing yet. Sets `ended` if it will never say anything again.
std::optional<guard::Report> receive_report(int socket, bool& ended);

}  // namespace tq::loop
