#include "cli/table.hpp"

#include <algorithm>
#include <numeric>

namespace tq::cli {
namespace {

constexpr std::size_t kGap = 2;            // columns of blanks between two
constexpr std::size_t kWidestOfMany = 24;  // of a column that is not the last, where room is scarce
constexpr std::size_t kNarrowestLast = 8;

}  // namespace

void Table::row(std::vector<Cell> cells) {
  for (Cell& cell : cells) cell.text = printable(cell.text);
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::widths(std::size_t room, bool with_titles) const {
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (with_titles) widths[i] = columns_[i].title.size();
    for (const auto& row : rows_) widths[i] = std::max(widths[i], display_width(row[i].text));
  }
  const auto all = [&] { return std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1)); };
  if (room == 0 || all() <= room) return widths;
  const std::size_t others = all() - widths.back();
  if (others + kNarrowestLast > room) {
    for (std::size_t i = 0; i + 1 < widths.size(); ++i) widths[i] = std::min(widths[i], kWidestOfMany);
  }
  const std::size_t rest = all() - widths.back();
  widths.back() = rest + kNarrowestLast < room ? room - rest : kNarrowestLast;
  return widths;
}

void Table::print(Output& out, const Terminal& terminal, bool with_titles, std::size_t indent) const {
  const std::size_t room = terminal.width > indent ? terminal.width - indent : 0;
  const std::vector<std::size_t> width = widths(room, with_titles);
  const auto print_row = [&](const auto& cell_at) {
    std::string line(indent, ' ');
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Cell cell = cell_at(i);
      const std::string text = cut_to_width(cell.text, width[i]);
      const std::string blanks(width[i] - display_width(text), ' ');
      const std::string painted = terminal.paint(cell.colour, text);
      const bool is_last = i + 1 == columns_.size();
      line += columns_[i].is_number ? blanks + painted : is_last ? painted : painted + blanks;
      if (!is_last) line.append(kGap, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out.line(line);
  };
  if (with_titles) print_row([&](std::size_t i) { return Cell(std::string(columns_[i].title), Colour::dim); });
  for (const auto& row : rows_) print_row([&](std::size_t i) { return row[i]; });
}

}  // namespace tq::cli
