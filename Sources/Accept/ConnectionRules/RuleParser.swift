import ByteText

/// The rule language of tcprules(1).
package enum RuleParser {
    /// The rules of a whole file, in order; comments and empty lines are none.
    package static func rules(_ text: [UInt8]) throws(RuleFlaw) -> [Rule] {
        var rules: [Rule] = []
        for (i, line) in text.lines.enumerated() {
            if let rule = try rule(line, number: i + 1) { rules.append(rule) }
        }
        return rules
    }

    /// The rule of a line without its line feed; nil of a comment or an empty line.
    package static func rule(_ line: [UInt8], number: Int) throws(RuleFlaw) -> Rule? {
        guard line.first != UInt8(ascii: "#"),
            let last = line.lastIndex(where: { $0 != UInt8(ascii: " ") && $0 != 9 })
        else { return nil }
        let line = Array(line[...last])
        do throws(Misfit) {
            let colon = try separator(in: line)
            let keys = try RuleAddress.keys(line[..<colon])
            let data = try RuleInstructions.data(line, from: colon + 1)
            return Rule(line: number, text: line, keys: keys, data: data)
        } catch {
            // Bytes 10xxxxxx continue a character of UTF-8.
            let column = line[..<error.index].count { $0 & 0xC0 != 0x80 } + 1
            throw RuleFlaw(line: number, column: column, expected: error.expected, text: line)
        }
    }

    /// The colon after the address: the first before a verb, because IPv6 addresses have colons too.
    private static func separator(in line: [UInt8]) throws(Misfit) -> Int {
        var i = 0
        while let found = line.range(of: ":", from: i) {
            let rest = line[found.upperBound...]
            if RuleInstructions.verb(rest) != nil { return found.lowerBound }
            i = found.upperBound
        }
        // The address ends before the last colon of what comes before the variables.
        let end = line.firstIndex(of: UInt8(ascii: ",")) ?? line.count
        if let colon = line[..<end].lastIndex(of: UInt8(ascii: ":")) {
            throw Misfit(colon + 1, "\"allow\" or \"deny\"")
        }
        let blank = line.firstIndex { $0.isBlank } ?? end
        throw Misfit(min(blank, end), "\":allow\" or \":deny\" after the address")
    }
}
