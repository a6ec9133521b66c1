// Columns as Go's text/tabwriter aligns them with Docker's settings (width at least 10, padding 3, blanks):
// a column is as wide as the widest of the neighbouring lines that have it, and the last cell of a line is in none.

const minWidth = 10;
const padding = 3;

/** Lines whose cells are separated by tabs, to aligned text. */
export function alignTable(lines: readonly string[], least = minWidth): string {
  const rows = lines.map((line) => line.split('\t'));
  const widths = rows.map((cells) => cells.map(() => 0));
  const last = Math.max(0, ...rows.map((cells) => cells.length - 1));
  for (let column = 0; column < last; column++) {
    for (let start = 0; start < rows.length; start++) {
      let end = start;
      while (end < rows.length && column < (rows[end]?.length ?? 0) - 1) end++;
      if (end === start) continue;
      const block = rows.slice(start, end);
      const width = Math.max(least, ...block.map((cells) => displayWidth(cells[column] ?? '') + padding));
      for (let row = start; row < end; row++) (widths[row] ?? [])[column] = width;
      start = end;
    }
  }
  return rows.map((cells, row) => `${cells.map((cell, i) => pad(cell, widths[row]?.[i] ?? 0)).join('')}\n`).join('');
}

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(Math.max(0, width - displayWidth(cell)));
}

function displayWidth(text: string): number {
  return /^[ -~]*$/.test(text) ? text.length : [...text].length;
}
