// beanstalkd: put, reserve, delete, over its protocol. Deleting and reserving the next share a round trip. How durable it
// is, is its server's business (-b, -f).
#include "address.hpp"
#include "system.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

class Connection {
 public:
  explicit Connection(const bench::Address& address) {
    addrinfo wanted = {};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(address.host.c_str(), address.port.c_str(), &wanted, &found) != 0) fail();
    fd_ = ::socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
    if (::connect(fd_, found->ai_addr, found->ai_addrlen) != 0) fail();
    ::freeaddrinfo(found);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~Connection() { ::close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) fail();
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  std::string line() {
    std::size_t end = 0;
    while ((end = received_.find("\r\n")) == std::string::npos) receive();
    return cut(end);
  }
  std::string body(std::size_t size) {
    while (received_.size() < size + 2) receive();
    return cut(size);
  }

 private:
  [[noreturn]] static void fail() { throw std::runtime_error("beanstalkd cannot be reached"); }
  void receive() {
    char buffer[65536];
    const ssize_t size = ::recv(fd_, buffer, sizeof buffer, 0);
    if (size <= 0) fail();
    received_.append(buffer, static_cast<std::size_t>(size));
  }
  std::string cut(std::size_t size) {
    const std::string piece = received_.substr(0, size);
    received_.erase(0, size + 2);
    return piece;
  }

  int fd_ = -1;
  std::string received_;
};

void expect(const std::string& line, std::string_view start) {
  if (!line.starts_with(start)) throw std::runtime_error("beanstalkd answers " + line);
}

class Client : public bench::Client {
 public:
  explicit Client(const bench::Address& address) : connection_(address) {}
  void enqueue(std::span<const std::string> payloads) override {
    std::string bytes;
    for (const std::string& payload : payloads)
      bytes += "put 0 0 3600 " + std::to_string(payload.size()) + "\r\n" + payload + "\r\n";
    connection_.send(bytes);
    for (std::size_t i = 0; i < payloads.size(); ++i) expect(connection_.line(), "INSERTED");
  }
  std::vector<std::string> next(std::size_t limit, bool wait) override {
    std::string bytes;
    for (const std::string& id : taken_) bytes += "delete " + id + "\r\n";
    for (std::size_t i = 0; i < limit; ++i) bytes += wait ? "reserve-with-timeout 1\r\n" : "reserve-with-timeout 0\r\n";
    connection_.send(bytes);
    for (std::size_t i = 0; i < taken_.size(); ++i) expect(connection_.line(), "DELETED");
    taken_.clear();
    std::vector<std::string> payloads;
    for (std::size_t i = 0; i < limit; ++i) {
      const std::string line = connection_.line();
      if (line == "TIMED_OUT") continue;
      expect(line, "RESERVED ");  // RESERVED ID BYTES
      const std::size_t space = line.find(' ', 9);
      taken_.push_back(line.substr(9, space - 9));
      payloads.push_back(connection_.body(std::stoull(line.substr(space + 1))));
    }
    return payloads;
  }

 private:
  Connection connection_;
  std::vector<std::string> taken_;  // ids
};

class Beanstalkd : public bench::System {
 public:
  explicit Beanstalkd(const bench::Options& options) : address_(options.path) {}
  std::unique_ptr<bench::Client> client() override { return std::make_unique<Client>(address_); }
  std::uint64_t unfinished() override {
    Connection connection(address_);
    connection.send("stats\r\n");
    const std::string line = connection.line();
    expect(line, "OK ");
    const std::string stats = connection.body(std::stoull(line.substr(3)));
    std::uint64_t jobs = 0;
    for (const std::string name : {"current-jobs-ready: ", "current-jobs-reserved: "})
      jobs += std::stoull(stats.substr(stats.find(name) + name.size()));
    return jobs;
  }

 private:
  bench::Address address_;
};

}  // namespace

std::unique_ptr<bench::System> bench::open_system(const Options& options) {
  return std::make_unique<Beanstalkd>(options);
}
