#include "engine/copy.hpp"

#include "engine/workers.hpp"

namespace tq::engine {

std::uint64_t copy(store::Environment& from, store::Environment& made, const store::Progress& progress) {
  const auto alter = [](Tree tree, std::string_view key, std::string_view value) -> std::optional<std::string> {
    const bool is_worker = tree == WorkerKey::kTree && key.front() == static_cast<char>(WorkerKey::kKind);
    if (!is_worker) return std::nullopt;
    model::WorkerRecord record = model::decode_worker(value);
    clear_copied_worker(record);
    return model::encode(record);
  };
  return store::copy_records(from, made, alter, progress);
}

}  // namespace tq::engine
