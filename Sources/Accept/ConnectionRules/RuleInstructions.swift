import ByteText

/// What follows an address: `allow` or `deny`, then variables.
enum RuleInstructions {
    /// What a line begins with.
    enum Verb {
        case allow, deny

        var length: Int { self == .allow ? 5 : 4 }
    }

    /// The verb that the text begins with.
    static func verb(_ text: ArraySlice<UInt8>) -> Verb? {
        if Array(text.prefix(5)).equals("allow") { return .allow }
        return Array(text.prefix(4)).equals("deny") ? .deny : nil
    }

    /// The instructions from an index of the line, as the database holds them: items that end in NUL.
    static func data(_ line: [UInt8], from start: Int) throws(Misfit) -> [UInt8] {
        guard let verb = verb(line[start...]) else {
            throw Misfit(start, "\"allow\" or \"deny\"")
        }
        var data: [UInt8] = verb == .deny ? [UInt8(ascii: "D"), 0] : []
        var next = start + verb.length
        while next < line.count {
            guard line[next] == UInt8(ascii: ",") else {
                throw Misfit(next, "\",\" or the end of the line")
            }
            next += 1
            if next < line.count, line[next] == UInt8(ascii: "!") {
                let name = try name(line, from: next + 1)
                data += [UInt8(ascii: "-")] + line[name] + [0]
                next = name.upperBound
            } else {
                let name = try name(line, from: next)
                let value = try value(line, after: name.upperBound)
                data += [UInt8(ascii: "+")] + line[name] + [UInt8(ascii: "=")] + line[value] + [0]
                next = value.upperBound + 1
            }
        }
        return data
    }

    private static func name(_ line: [UInt8], from start: Int) throws(Misfit) -> Range<Int> {
        let name = line[start...].prefix {
            $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
                || $0 == UInt8(ascii: ".")
        }
        guard !name.isEmpty else { throw Misfit(start, "a variable's name") }
        return name.startIndex..<name.endIndex
    }

    /// The bytes between the two same bytes that follow an equals sign.
    private static func value(_ line: [UInt8], after name: Int) throws(Misfit) -> Range<Int> {
        guard name < line.count, line[name] == UInt8(ascii: "=") else {
            throw Misfit(name, "\"=\" after the variable's name")
        }
        let start = name + 1
        // A typographic quote is several bytes, of which only the first would quote.
        guard start < line.count, line[start] > 32, line[start] < 127 else {
            throw Misfit(start, "an ASCII character that quotes the value, such as '\"'")
        }
        let quote = line[start]
        guard let end = line[(start + 1)...].firstIndex(of: quote) else {
            var expected = [UInt8]("a second '")
            expected.append(quote)
            expected.append("' after the value")
            throw Misfit(line.count, expected)
        }
        if let null = line[start..<end].firstIndex(of: 0) {
            throw Misfit(null, "a value without NUL bytes")
        }
        return start + 1..<end
    }
}
