// bench-bare COUNT SLOTS COMMAND...
//
// Runs the command COUNT times, SLOTS at once, with nothing but posix_spawn and waitpid: what no queue can beat.
#include "processes.hpp"

int main(int argc, char* argv[]) {
  if (argc < 4) return 2;
  const int count = std::atoi(argv[1]);
  const int slots = std::atoi(argv[2]);
  int started = 0;
  int running = 0;
  while (started < count || running > 0) {
    if (started < count && running < slots) {
      bench::spawn(argv + 3);
      ++started;
      ++running;
    } else {
      bench::await(-1);
      --running;
    }
  }
}
