// Redis: a list, a reliable pop (LMOVE to a list of the client's own), an acknowledgement (LREM). Acknowledging and popping
// the next share a round trip. How durable it is, is its server's business (appendfsync).
#include "address.hpp"
#include "system.hpp"

#include <atomic>
#include <hiredis/hiredis.h>
#include <unistd.h>

namespace {

using Words = std::vector<std::string>;

struct Reply {
  explicit Reply(void* reply) : value(static_cast<redisReply*>(reply)) {
    if (value == nullptr || value->type == REDIS_REPLY_ERROR)
      throw std::runtime_error(value == nullptr ? "Redis has gone" : value->str);
  }
  ~Reply() { freeReplyObject(value); }
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  redisReply* value;
};

class Connection {
 public:
  explicit Connection(const bench::Address& address)
      : context_(redisConnect(address.host.c_str(), std::stoi(address.port))) {
    if (context_ == nullptr || context_->err != 0) throw std::runtime_error("cannot connect to Redis");
  }
  ~Connection() { redisFree(context_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void send(const Words& words) {
    std::vector<const char*> parts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      parts.push_back(word.data());
      sizes.push_back(word.size());
    }
    redisAppendCommandArgv(context_, static_cast<int>(words.size()), parts.data(), sizes.data());
  }
  Reply receive() {
    void* reply = nullptr;
    redisGetReply(context_, &reply);
    return Reply(reply);
  }
  Reply ask(const Words& words) {
    send(words);
    return receive();
  }

 private:
  redisContext* context_;
};

class Client : public bench::Client {
 public:
  Client(const bench::Address& address, std::string hand) : connection_(address), hand_(std::move(hand)) {}
  void enqueue(std::span<const std::string> payloads) override {
    Words words{"LPUSH", "ready"};
    words.insert(words.end(), payloads.begin(), payloads.end());
    connection_.ask(words);
  }
  std::vector<std::string> next(std::size_t limit, bool wait) override {
    for (const std::string& payload : taken_) connection_.send({"LREM", hand_, "1", payload});
    for (std::size_t i = 0; i < limit; ++i) {
      if (wait)
        connection_.send({"BLMOVE", "ready", hand_, "RIGHT", "LEFT", "0.05"});
      else
        connection_.send({"LMOVE", "ready", hand_, "RIGHT", "LEFT"});
    }
    for (std::size_t i = 0; i < taken_.size(); ++i) connection_.receive();
    taken_.clear();
    for (std::size_t i = 0; i < limit; ++i) {
      const Reply reply = connection_.receive();
      if (reply.value->type == REDIS_REPLY_STRING) taken_.emplace_back(reply.value->str, reply.value->len);
    }
    return taken_;
  }

 private:
  Connection connection_;
  std::string hand_;
  std::vector<std::string> taken_;
};

class Redis : public bench::System {
 public:
  explicit Redis(const bench::Options& options) : address_(options.path) {}
  std::unique_ptr<bench::Client> client() override {
    return std::make_unique<Client>(address_, "hand-" + std::to_string(::getpid()) + "-" + std::to_string(++clients_));
  }
  std::uint64_t unfinished() override {
    Connection connection(address_);
    std::uint64_t jobs = 0;
    const Reply keys = connection.ask({"KEYS", "*"});
    for (std::size_t i = 0; i < keys.value->elements; ++i) {
      const Reply size = connection.ask({"LLEN", keys.value->element[i]->str});
      jobs += static_cast<std::uint64_t>(size.value->integer);
    }
    return jobs;
  }

 private:
  bench::Address address_;
  std::atomic<int> clients_{0};
};

}  // namespace

std::unique_ptr<bench::System> bench::open_system(const Options& options) { return std::make_unique<Redis>(options); }
