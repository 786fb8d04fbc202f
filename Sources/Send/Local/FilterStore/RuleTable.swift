import ByteText
import Filter

/// Rules as a table for people.
enum RuleTable {
    private static let titles: [StaticString] = [
        "NUMBER", "NAME", "HEADER", "COMPARISON", "KEYWORD", "FOLDER", "BOUNCE",
    ]

    /// A line for the titles and one for each rule, each column as wide as its widest cell.
    static func text(_ rules: [FilterRule]) -> [UInt8] {
        let rows =
            [titles.map { [UInt8]($0) }]
            + rules.map { rule in
                let isBare = !rule.comparison.needsKeyword
                return [
                    [UInt8](decimal: rule.number), rule.name, isBare ? [45] : rule.header,
                    [UInt8](rule.comparison.name), isBare ? [45] : rule.keyword,
                    rule.destination.text, rule.action.text,
                ]
            }
        var text: [UInt8] = []
        for row in rows {
            for (i, cell) in row.enumerated() {
                text += cell
                guard i < row.count - 1 else { continue }
                var width = 0
                for other in rows { width = max(width, length(other[i])) }
                text += [UInt8](repeating: 32, count: width - length(cell) + 2)
            }
            text.append(10)
        }
        return text
    }

    /// Characters of UTF-8: bytes that continue one are not counted.
    private static func length(_ text: [UInt8]) -> Int { text.count { $0 & 0xC0 != 0x80 } }
}
