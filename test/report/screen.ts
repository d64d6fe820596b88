/** As much of a terminal as the reports use: what is on the screen after these bytes, one string a line, and an empty one. */
export function screenAfter(bytes: string, columns: number): string[] {
  const lines: string[] = [''];
  let row = 0;
  let column = 0;
  const token = /\u001b\[(\??[\d;]*)([A-Za-z])|\n|\r|[^\u001b\n\r]/gu;
  let end = 0;
  for (const match of bytes.matchAll(token)) {
    if (match.index !== end)
      throw new Error(`unknown sequence: ${JSON.stringify(bytes.slice(end, end + 12))}`);
    end += match[0].length;
    const [text, parameter = '', command] = match;
    const by = Number(parameter) || 1;
    if (text === '\n') {
      row++;
      // A terminal in cooked mode returns the carriage, too.
      column = 0;
    } else if (text === '\r') column = 0;
    else if (command === undefined) {
      if (column >= columns) throw new Error(`a line is wider than the terminal: ${lines[row]}`);
      lines[row] =
        (lines[row] ?? '').padEnd(column).slice(0, column) + text + (lines[row] ?? '').slice(column + 1);
      column++;
    } else if (command === 'A') row = Math.max(0, row - by);
    else if (command === 'B') row += by;
    else if (command === 'G') column = by - 1;
    else if (command === 'K') lines[row] = parameter === '2' ? '' : (lines[row] ?? '').slice(0, column);
    else if (command === 'J') lines.splice(row, lines.length);
    else if (!'mhl'.includes(command)) throw new Error(`unknown command: ${JSON.stringify(text)}`);
    while (lines.length <= row) lines.push('');
  }
  while (lines.length > 1 && lines.at(-2)?.trimEnd() === '' && lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.trimEnd());
}
