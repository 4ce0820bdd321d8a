"""Writes the bytes of a file as a C++ source: embed.py PROGRAM OUTPUT"""

import sys

program, output = sys.argv[1:]
with open(program, "rb") as file:
    data = file.read()
with open(output, "w", encoding="ascii") as file:
    file.write("// Made by embed.py from the guard's program.\n")
    file.write("#include <cstddef>\n\nnamespace tq::loop {\n\n")
    file.write("extern const unsigned char kGuardProgram[];\nextern const std::size_t kGuardProgramSize;\n\n")
    file.write("const unsigned char kGuardProgram[] = {\n")
    for start in range(0, len(data), 32):
        file.write(",".join(map(str, data[start : start + 32])) + ",\n")
    file.write("};\n")
    file.write("const std::size_t kGuardProgramSize = sizeof kGuardProgram;\n\n}  // namespace tq::loop\n")
