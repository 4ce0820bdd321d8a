// bench-commands ROUNDS : COMMAND... [: COMMAND...]...
//
// Runs the commands in turn, ROUNDS times, and prints for each how long it took from posix_spawn to its end, in
// microseconds.
#include "processes.hpp"
#include "samples.hpp"

#include <string_view>

int main(int argc, char* argv[]) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 0;
  std::vector<std::vector<char*>> commands;
  for (int i = 2; i < argc; ++i) {
    if (std::string_view(argv[i]) == ":") {
      commands.emplace_back();
    } else if (!commands.empty()) {
      commands.back().push_back(argv[i]);
    }
  }
  for (auto& command : commands) command.push_back(nullptr);

  std::vector<std::vector<double>> samples(commands.size());
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < commands.size(); ++i) {
      samples[i].push_back(bench::time_us([&] { bench::await(bench::spawn(commands[i].data())); }));
    }
  }
  for (std::size_t i = 0; i < commands.size(); ++i) bench::print(commands[i][0], samples[i]);
}
