#include "power_cut/disk.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <stdexcept>

namespace tq::test::power_cut {
namespace {

constexpr std::uint64_t kRoot = 1;

// The same for the same arguments: all sectors of a write, or all that happened in one place, share their fate.
std::uint64_t mix(std::uint64_t a, std::uint64_t b, std::uint64_t c = 0) {
  std::uint64_t x = a * 0x9e3779b97f4a7c15 ^ (b + 0x7f4a7c15) * 0xbf58476d1ce4e5b9 ^ (c + 1) * 0x94d049bb133111eb;
  x ^= x >> 29;
  x *= 0xbf58476d1ce4e5b9;
  return x ^ x >> 32;
}

}  // namespace

Disk::Disk(std::uint64_t inode) {
  give_inode(inode, kRoot);
  directories_[kRoot] = true;
  next_ = kRoot + 1;
}

// --- what happens ---------------------------------------------------------------------------------------------------

void Disk::add_file(const std::string& name, std::uint64_t inode, std::string bytes) {
  Node node = inodes_[inode];
  if (node == 0) {
    node = next_++;
    give_inode(inode, node);
    files_[node] = {.base = std::move(bytes)};
    files_[node].size = files_[node].base.size();
  }
  const Change change = this->change(name, node);
  durable_[{change.directory, change.name}] = current_[{change.directory, change.name}] = node;
}

void Disk::add_directory(const std::string& name, std::uint64_t inode) {
  const Change change = this->change(name, next_++);
  give_inode(inode, change.node);
  directories_[change.node] = true;
  durable_[{change.directory, change.name}] = current_[{change.directory, change.name}] = change.node;
}

Disk::Node Disk::node_of(std::string_view name) const {
  const Change change = this->change(name, 0);
  const auto entry = current_.find({change.directory, change.name});
  return entry != current_.end() ? entry->second : 0;
}

Disk::Change Disk::change(std::string_view name, Node node) const {
  const std::size_t slash = name.rfind('/');
  const Node directory = slash == name.npos ? kRoot : node_of(name.substr(0, slash));
  return {directory, std::string(slash == name.npos ? name : name.substr(slash + 1)), node};
}

void Disk::add_step(std::uint64_t position, std::vector<Change> changes) {
  for (const Change& change : changes) current_[{change.directory, change.name}] = change.node;
  steps_.push_back({position, std::move(changes)});
}

void Disk::write(std::uint64_t position, File& file, std::uint64_t offset, std::string_view bytes, std::uint64_t size) {
  for (std::uint64_t done = 0; done < size;) {
    const std::uint64_t from = (offset + done) % kSectorBytes;
    const std::uint64_t count = std::min(size - done, kSectorBytes - from);
    const std::string_view part = bytes.empty() ? std::string_view(nullptr, count) : bytes.substr(done, count);
    file.pending[(offset + done) / kSectorBytes].push_back({position, static_cast<std::uint32_t>(from), part});
    done += count;
  }
}

void Disk::resize(std::uint64_t position, File& file, std::uint64_t size) {
  // What is cut off reads as zeros, should the file grow again.
  if (size < file.size) write(position, file, size, {}, file.size - size);
  file.size = size;
  file.sizes.push_back({position, size});
}

void Disk::apply(std::uint64_t position, const Record& record) {
  last_ = position;
  const std::string_view name = record.name();
  const std::size_t zero = name.find('\0');
  const auto file = [&]() -> File& { return files_.at(inodes_.at(record.inode)); };
  switch (record.kind) {
    case Kind::create:
      give_inode(record.inode, next_);
      files_[next_] = {};
      return add_step(position, {change(name, next_++)});
    case Kind::mkdir:
      give_inode(record.inode, next_);
      directories_[next_] = true;
      return add_step(position, {change(name, next_++)});
    case Kind::link:
      return add_step(position, {change(name.substr(zero + 1), node_of(name.substr(0, zero)))});
    case Kind::rename:
      return add_step(position,
                      {change(name.substr(zero + 1), node_of(name.substr(0, zero))), change(name.substr(0, zero), 0)});
    case Kind::unlink:
      return add_step(position, {change(name, 0)});
    case Kind::write:
      write(position, file(), record.offset, record.data(), record.bytes);
      if (record.offset + record.bytes > file().size) resize(position, file(), record.offset + record.bytes);
      writes_[position] = &record;
      return;
    case Kind::truncate:
      return resize(position, file(), record.offset);
    case Kind::sync_end: {
      const Node node = inodes_.at(record.inode);
      if (directories_.contains(node)) return settle_names(node, record.offset);
      return settle(files_.at(node), record.offset);
    }
    case Kind::wrote: {
      const Record& written = *writes_.at(record.offset);
      return settle_range(file(), record.offset, written.offset, written.bytes);
    }
    case Kind::memory:
      memories_.push_back(&record);
      return;
    case Kind::sync_begin:
    case Kind::note:
      return;
    case Kind::strange:
      throw std::runtime_error("what cannot be replayed happened: " + std::string(record.data()));
  }
}

// --- what is durable ------------------------------------------------------------------------------------------------

namespace {

void put(char* sector, std::uint32_t offset, std::string_view bytes) {
  if (bytes.data() == nullptr) {
    std::memset(sector + offset, 0, bytes.size());
  } else {
    std::memcpy(sector + offset, bytes.data(), bytes.size());
  }
}

}  // namespace

// What was done before that position.
void Disk::settle(File& file, std::uint64_t before) {
  const auto is_settled = [&](const auto& done) { return done.position < before; };
  for (const Resize& resize : file.sizes) {
    if (is_settled(resize)) file.base.resize(resize.size);
  }
  std::erase_if(file.sizes, is_settled);
  for (auto sector = file.pending.begin(); sector != file.pending.end();) {
    for (const Fragment& fragment : sector->second) {
      if (!is_settled(fragment)) continue;
      const std::uint64_t at = sector->first * kSectorBytes + fragment.offset;
      if (at + fragment.bytes.size() <= file.base.size()) put(file.base.data() + at, 0, fragment.bytes);
    }
    std::erase_if(sector->second, is_settled);
    sector = sector->second.empty() ? file.pending.erase(sector) : std::next(sector);
  }
}

// The sectors of one write, as they were after it.
void Disk::settle_range(File& file, std::uint64_t position, std::uint64_t offset, std::uint64_t size) {
  if (file.base.size() < offset + size) {
    file.base.resize(offset + size);
    std::erase_if(file.sizes, [&](const Resize& resize) { return resize.size <= offset + size; });
  }
  for (std::uint64_t number = offset / kSectorBytes; number <= (offset + size - 1) / kSectorBytes; ++number) {
    const auto sector = file.pending.find(number);
    if (sector == file.pending.end()) continue;
    const auto is_settled = [&](const Fragment& fragment) { return fragment.position <= position; };
    for (const Fragment& fragment : sector->second) {
      const std::uint64_t at = number * kSectorBytes + fragment.offset;
      if (!is_settled(fragment)) continue;
      if (at + fragment.bytes.size() > file.base.size()) file.base.resize(at + fragment.bytes.size());
      put(file.base.data() + at, 0, fragment.bytes);
    }
    std::erase_if(sector->second, is_settled);
    if (sector->second.empty()) file.pending.erase(sector);
  }
}

void Disk::settle_names(Node directory, std::uint64_t before) {
  std::erase_if(steps_, [&](const Step& step) {
    const bool is_here = std::any_of(step.changes.begin(), step.changes.end(),
                                     [&](const Change& change) { return change.directory == directory; });
    if (!is_here || step.position >= before) return false;
    for (const Change& change : step.changes) durable_[{change.directory, change.name}] = change.node;
    return true;
  });
}

// --- what is left ---------------------------------------------------------------------------------------------------

// Each way to lose things finds other bugs: most are about one file being ahead of another.
Disk::Choice Disk::draw_choice(Random& random) const {
  const std::uint64_t seed = random();
  const std::uint64_t at = random();
  std::vector<std::uint64_t> positions;
  for (const auto& [node, file] : files_) {
    for (const auto& [sector, fragments] : file.pending) {
      for (const Fragment& fragment : fragments) positions.push_back(fragment.position);
    }
  }
  std::sort(positions.begin(), positions.end());
  positions.erase(std::unique(positions.begin(), positions.end()), positions.end());
  const std::uint64_t one = positions.empty() ? 0 : positions[at % positions.size()];
  const std::uint64_t last = positions.empty() ? 0 : positions.back();
  const auto by_write = [seed](unsigned percent) {
    return [=](std::uint64_t position, Node, std::uint64_t) { return mix(seed, position) % 100 < percent; };
  };
  switch (random() % 12) {
    case 0:
      return [](std::uint64_t, Node, std::uint64_t) { return false; };
    case 1:
      return [](std::uint64_t, Node, std::uint64_t) { return true; };
    case 2:
      return by_write(50);
    case 3:
      return by_write(90);
    case 4:
      return by_write(10);
    case 5:  // one alone
      return [=](std::uint64_t position, Node, std::uint64_t) { return position == one; };
    case 6:  // all but one
      return [=](std::uint64_t position, Node, std::uint64_t) { return position != one; };
    case 7:  // in order, up to one that is torn
      return [=](std::uint64_t position, Node, std::uint64_t sector) {
        return position < one || (position == one && mix(seed, sector) % 2 == 0);
      };
    case 8:  // the last one alone, perhaps torn
      return [=](std::uint64_t position, Node, std::uint64_t sector) {
        return position == last && (seed % 2 == 0 || mix(seed, sector) % 2 == 0);
      };
    case 9:  // all of some files, nothing of the others
      return [=](std::uint64_t, Node node, std::uint64_t) { return mix(seed, node) % 2 == 0; };
    case 10:  // pages, as the kernel writes them back
      return
          [=](std::uint64_t position, Node, std::uint64_t sector) { return mix(seed, position, sector / 8) % 2 == 0; };
    default:  // sectors
      return [=](std::uint64_t position, Node, std::uint64_t sector) { return mix(seed, position, sector) % 2 == 0; };
  }
}

Disk::Choice Disk::draw_name_choice(Random& random) const {
  const std::uint64_t seed = random();
  const std::uint64_t one = steps_.empty() ? 0 : steps_[random() % steps_.size()].position;
  switch (random() % 4) {
    case 0:
      return [](std::uint64_t, Node, std::uint64_t) { return false; };
    case 1:
      return [](std::uint64_t, Node, std::uint64_t) { return true; };
    case 2:  // in order, as a journal does
      return [=](std::uint64_t position, Node, std::uint64_t) { return position <= one; };
    default:
      return [=](std::uint64_t position, Node, std::uint64_t) { return mix(seed, position) % 2 == 0; };
  }
}

FileState Disk::make_file(Node node, const File& file, const Choice& choice, Random* random) const {
  FileState state{.base = &file.base, .size = file.base.size()};
  state.is_settled = file.pending.empty() && file.sizes.empty();
  std::uint64_t end = file.base.size();  // of what was chosen
  for (const auto& [number, fragments] : file.pending) {
    auto until = fragments.end();
    while (until != fragments.begin() && !choice(std::prev(until)->position, node, number)) --until;
    if (until == fragments.begin()) continue;
    Sector& sector = state.sectors[number];
    sector.fill('\0');
    const std::uint64_t at = number * kSectorBytes;
    if (at < file.base.size()) {
      std::memcpy(sector.data(), file.base.data() + at, std::min(kSectorBytes, file.base.size() - at));
    }
    for (auto fragment = fragments.begin(); fragment != until; ++fragment) {
      put(sector.data(), fragment->offset, fragment->bytes);
      end = std::max<std::uint64_t>(end, at + fragment->offset + fragment->bytes.size());
    }
  }
  if (random == nullptr) {
    state.size = file.size;
  } else if (!file.sizes.empty()) {
    const std::uint64_t choices[] = {end, end, file.size, file.base.size(),
                                     file.sizes[(*random)() % file.sizes.size()].size};
    state.size = choices[(*random)() % std::size(choices)];
  }
  return state;
}

DiskState Disk::make(const Choice& choice, const Choice& name_choice, Random* random) const {
  Entries entries = durable_;
  for (const Step& step : steps_) {
    if (!name_choice(step.position, 0, 0)) continue;
    for (const Change& change : step.changes) entries[{change.directory, change.name}] = change.node;
  }
  DiskState state;
  std::vector<std::pair<Node, std::string>> left = {{kRoot, ""}};
  while (!left.empty()) {
    const auto [directory, path] = left.back();
    left.pop_back();
    for (auto entry = entries.lower_bound({directory, ""}); entry != entries.end() && entry->first.first == directory;
         ++entry) {
      const Node node = entry->second;
      if (node == 0) continue;
      const std::string name = path + entry->first.second;
      if (directories_.contains(node)) {
        state.directories.push_back(name);
        left.emplace_back(node, name + '/');
      } else {
        state.names.emplace_back(name, node);
        if (!state.files.contains(node)) state.files[node] = make_file(node, files_.at(node), choice, random);
      }
    }
  }
  return state;
}

DiskState Disk::cut(Random& random) const {
  const Choice choice = draw_choice(random);
  DiskState state = make(choice, draw_name_choice(random), &random);
  const std::uint64_t which = random();
  if (memories_.empty() || which % 4 == 0) return state;
  state.memory = which % 4 == 1 ? memories_[random() % memories_.size()] : memories_.back();
  return state;
}

DiskState Disk::newest() const {
  const auto all = [](std::uint64_t, Node, std::uint64_t) { return true; };
  return make(all, all, nullptr);
}

}  // namespace tq::test::power_cut
