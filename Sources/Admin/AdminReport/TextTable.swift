/// Columns of text for a terminal.
package struct TextTable: Sendable {
    private var rows: [[String]]

    /// A table with these titles and no rows.
    package init(_ titles: [String]) { rows = [titles] }

    /// Add a row; it may have fewer cells than there are titles.
    package mutating func append(_ cells: [String]) { rows.append(cells) }

    /// The lines, each column as wide as its widest cell; the last is not filled up.
    package var text: String {
        var widths: [Int] = []
        for row in rows {
            for (i, cell) in row.enumerated() {
                if i == widths.count { widths.append(0) }
                widths[i] = max(widths[i], cell.count)
            }
        }
        return rows.map { line($0, widths) + "\n" }.joined()
    }

    private func line(_ row: [String], _ widths: [Int]) -> String {
        var line = ""
        for (i, cell) in row.enumerated() {
            line += cell
            guard i < row.count - 1 else { break }
            line += String(repeating: " ", count: widths[i] - cell.count + 2)
        }
        return line
    }
}
