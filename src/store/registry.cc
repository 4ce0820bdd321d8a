#include "store/registry.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <pthread.h>
#include <unistd.h>

namespace tq::store::registry {
namespace {

struct Stores {
  std::mutex mutex;
  std::condition_variable closed;
  pid_t pid = ::getpid();
  std::map<FileId, std::weak_ptr<Environment>> open;  // an expired one is about to be closed
};

Stores& stores() {
  static Stores& instance = [&]() -> Stores& {
    // Forked while another thread opens, the child must not find the mutex locked for ever.
    ::pthread_atfork([] { stores().mutex.lock(); }, [] { stores().mutex.unlock(); }, [] { stores().mutex.unlock(); });
    return *new Stores;  // never destroyed: stores in static objects may be closed at exit
  }();
  return instance;
}

// What was open before a fork belongs to the parent.
void forget_parents(Stores& all) {
  if (all.pid == ::getpid()) return;
  all.open.clear();
  all.pid = ::getpid();
}

}  // namespace

std::shared_ptr<Environment> find_or_open(const std::function<std::optional<FileId>()>& find, const Open& open) {
  Stores& all = stores();
  std::unique_lock lock(all.mutex);
  forget_parents(all);
  const IsOpen is_open = [&](FileId id) { return all.open.contains(id); };
  for (;;) {
    const std::optional<FileId> id = find();
    const auto known = id ? all.open.find(*id) : all.open.end();
    if (known != all.open.end()) {
      if (std::shared_ptr<Environment> environment = known->second.lock()) return environment;
      all.closed.wait(lock);
      continue;
    }
    // With room for it before: a store that is open could not be closed again in here.
    decltype(all.open) room;
    auto place = room.extract(room.try_emplace(FileId{}).first);
    const auto [opened_id, environment] = open(is_open);
    if (!environment) continue;
    place.key() = opened_id;
    place.mapped() = environment;
    all.open.insert(std::move(place));
    return environment;
  }
}

void close(FileId id, const std::function<void()>& close) {
  Stores& all = stores();
  const std::lock_guard lock(all.mutex);
  forget_parents(all);
  close();
  all.open.erase(id);
  all.closed.notify_all();
}

}  // namespace tq::store::registry
