#include "cli/job_options.hpp"

#include <algorithm>
#include <array>

namespace tq::cli {
namespace {

// One table for the command line and for the lines of a batch.
struct Key {
  std::string_view key;
  std::string_view names;
  std::string_view value;
  std::string_view help;
  void (*set)(const std::string&, EnqueueOptions&);
  Offer offer = Offer::nothing;
  bool is_repeatable = false;
};

// A key is its option's long name.
constexpr std::array<Key, 10> kKeys{{
    {"queue", "-Q,--queue", "QUEUE", "put it into this queue (default)",
     [](const std::string& text, EnqueueOptions& options) { options.queue = text; }, Offer::queues},
    {"priority", "-p,--priority", "N", "higher first (0)",
     [](const std::string& text, EnqueueOptions& options) { read(text, options.priority); }},
    {"delay", "-d,--delay", "DURATION", "not before so much time has passed",
     [](const std::string& text, EnqueueOptions& options) { read(text, options.delay); }},
    {"at", "--at", "TIME", "not before this time",
     [](const std::string& text, EnqueueOptions& options) { read(text, options.at); }},
    {"retries", "--retries", "N", "try again so often after a failure (commands 0, tasks 3)",
     [](const std::string& text, EnqueueOptions& options) { read(text, options.max_retries); }},
    {"backoff", "--backoff", "BACKOFF", "wait before that: const:5s, or exp:1s..1h (the default)",
     [](const std::string& text, EnqueueOptions& options) { read(text, options.backoff); }},
    {"timeout", "--timeout", "DURATION", "end an attempt that takes longer",
     [](const std::string& text, EnqueueOptions& options) { read(text, options.timeout); }},
    {"expires", "--expires", "WHEN", "give up unless it has started by then: a duration or a time", read_expiry},
    {"result_ttl", "--result-ttl", "DURATION", "keep the job so long when it is over",
     [](const std::string& text, EnqueueOptions& options) { read(text, options.result_ttl); }},
    {"label", "--label", "LABEL", "a word to find it by; may be given several times",
     [](const std::string& text, EnqueueOptions& options) { options.labels.push_back(text); }, Offer::nothing, true},
}};

}  // namespace

void JobOptions::declare(Parameters& parameters) {
  for (const Key& key : kKeys) {
    const auto take = [this, set = key.set](const std::string& text) { set(text, values_); };
    if (key.is_repeatable) {
      parameters.each(key.names, key.value, take, key.help, key.offer);
    } else {
      parameters.option(key.names, key.value, take, key.help, key.offer);
    }
  }
}

bool JobOptions::set(std::string_view key, const std::string& text) {
  const auto found = std::find_if(kKeys.begin(), kKeys.end(), [key](const Key& known) { return known.key == key; });
  if (found == kKeys.end()) return false;
  found->set(text, values_);
  return true;
}

std::vector<std::string_view> JobOptions::keys() {
  std::vector<std::string_view> keys;
  for (const Key& key : kKeys) keys.push_back(key.key);
  return keys;
}

}  // namespace tq::cli
