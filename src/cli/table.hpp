// Rows under each other in aligned columns; on a terminal no line is longer than it is wide.
#pragma once

#include "cli/output.hpp"
#include "cli/terminal.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tq::cli {

struct Column {
  std::string_view title;
  bool is_number = false;  // flush right
};

struct Cell {
  Cell(std::string cell_text, Colour cell_colour = Colour::none) : text(std::move(cell_text)), colour(cell_colour) {}
  std::string text;
  Colour colour;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as there are columns. Their text is made printable.
  void row(std::vector<Cell> cells);
  bool empty() const { return rows_.empty(); }
  void print(Output& out, const Terminal& terminal, bool with_titles, std::size_t indent = 0) const;

 private:
  std::vector<std::size_t> widths(std::size_t room, bool with_titles) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace tq::cli
