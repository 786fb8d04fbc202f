import ByteText

// A rule as a line of text: its number, then `key=value` for each part, parted by tabs.
//
// In a value, `\\` is a backslash and `\xHH` a byte; no value has a tab or a line feed of its own.
extension FilterRule {
    /// The line, without a line feed.
    package var line: [UInt8] {
        var line = [UInt8](decimal: number)
        func add(_ key: StaticString, _ value: [UInt8]) {
            line.append(9)
            line.append(key)
            line.append(UInt8(ascii: "="))
            line += Self.escaped(value)
        }
        add("name", name)
        if comparison.needsKeyword { add("header", header) }
        add("comparison", [UInt8](comparison.name))
        if comparison.needsKeyword { add("keyword", keyword) }
        add("folder", destination.text)
        add("bounce", action.text)
        return line
    }

    /// The rule of a line; every part must be there once and nothing else.
    package init(line: [UInt8]) throws(FilterFlaw) {
        let parts = line.split(separator: 9, omittingEmptySubsequences: false).map { Array($0) }
        guard let number = parts[0].decimalValue else {
            throw FilterFlaw(expected: "the number of a rule", found: parts[0])
        }
        var values = RuleParts()
        for part in parts.dropFirst() { try values.take(part) }
        let comparison = try Comparison(try values.value(.comparison))
        let isBare = !comparison.needsKeyword
        if isBare, values.has(.header) || values.has(.keyword) {
            throw FilterFlaw(expected: "no header and no keyword", found: line)
        }
        try self.init(
            number: number, name: try values.value(.name),
            header: isBare ? [] : try values.value(.header), comparison: comparison,
            keyword: isBare ? [] : try values.value(.keyword),
            destination: try Destination(try values.value(.folder)),
            action: try BounceAction(try values.value(.bounce)))
    }

    private static func escaped(_ value: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        for byte in value {
            if byte == UInt8(ascii: "\\") {
                text.append("\\\\")
            } else if byte < 32 || byte == 127 {
                text.append("\\x")
                text.append(hexadecimal: byte >> 4)
                text.append(hexadecimal: byte & 15)
            } else {
                text.append(byte)
            }
        }
        return text
    }

    /// The rules of a file, in the order of their numbers.
    ///
    /// Empty lines and lines that start with `#` mean nothing.
    ///
    /// - Throws: The first line that is no rule, and its number from 1.
    package static func rules(_ text: [UInt8]) throws(RuleFileFlaw) -> [FilterRule] {
        var rules: [FilterRule] = []
        var line = 0
        for text in text.lines {
            line += 1
            if text.trimmed.isEmpty || text.first == UInt8(ascii: "#") { continue }
            do throws(FilterFlaw) {
                let rule = try FilterRule(line: text)
                let place = rules.firstIndex { $0.number >= rule.number } ?? rules.count
                if place < rules.count, rules[place].number == rule.number {
                    throw FilterFlaw(expected: "a number that no other rule has", found: text)
                }
                rules.insert(rule, at: place)
            } catch {
                throw RuleFileFlaw(line: line, flaw: error)
            }
        }
        return rules
    }
}

/// The values of a line by their keys.
private struct RuleParts {
    enum Key: Int, CaseIterable {
        case name, header, comparison, keyword, folder, bounce

        var word: StaticString {
            switch self {
            case .name: "name"
            case .header: "header"
            case .comparison: "comparison"
            case .keyword: "keyword"
            case .folder: "folder"
            case .bounce: "bounce"
            }
        }
    }

    private var values: [[UInt8]?] = [nil, nil, nil, nil, nil, nil]

    func has(_ key: Key) -> Bool { values[key.rawValue] != nil }

    func value(_ key: Key) throws(FilterFlaw) -> [UInt8] {
        guard let value = values[key.rawValue] else {
            throw FilterFlaw(expected: "a value", found: [UInt8](key.word))
        }
        return value
    }

    mutating func take(_ part: [UInt8]) throws(FilterFlaw) {
        let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.count
        let word = Array(part[..<equals])
        for key in Key.allCases where word.equals(key.word) {
            guard values[key.rawValue] == nil, equals < part.count,
                let value = Self.unescaped(part[(equals + 1)...])
            else { break }
            values[key.rawValue] = value
            return
        }
        throw FilterFlaw(expected: "key=value, each key once", found: part)
    }

    private static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var value: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            if byte != UInt8(ascii: "\\") {
                value.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "\\"): value.append(UInt8(ascii: "\\"))
            case UInt8(ascii: "x"):
                guard let high = rest.popFirst()?.hexadecimalValue,
                    let low = rest.popFirst()?.hexadecimalValue
                else { return nil }
                value.append(UInt8(high << 4 | low))
            default: return nil
            }
        }
        return value
    }
}

extension [UInt8] {
    fileprivate mutating func append(hexadecimal digit: UInt8) {
        append(digit < 10 ? digit + UInt8(ascii: "0") : digit - 10 + UInt8(ascii: "a"))
    }
}
