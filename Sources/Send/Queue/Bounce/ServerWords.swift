import ByteText

/// What another server said, out of qmail-remote's words: `ADDRESS DEED. NAME said: 550 5.1.1 no such user`, where
/// ` under TLSv1.3` may stand before the colon.
struct ServerWords {
    /// The server's name, or its address in brackets.
    let server: [UInt8]
    /// Its reply on one line, with the code.
    let reply: [UInt8]

    /// Read a record's text; nil when it is no such text.
    init?(_ text: [UInt8]) {
        let line = Array(text.prefix { $0 != 10 })
        guard let space = line.firstIndex(of: UInt8(ascii: " ")),
            IPAddress(Array(line[..<space])) != nil,
            let deedEnd = line.range(of: ". ", from: space),
            let nameEnd = line.range(of: " said", from: deedEnd.upperBound),
            let colon = line.range(of: ": ", from: nameEnd.upperBound)
        else { return nil }
        let name = line[deedEnd.upperBound..<nameEnd.lowerBound]
        let version = Array(line[nameEnd.upperBound..<colon.lowerBound])
        let code = line[colon.upperBound...].prefix(4)
        guard !name.isEmpty, !name.contains(where: { $0.isBlank }),
            version.isEmpty || version.starts(with: " under "), code.count >= 3,
            code.prefix(3).allSatisfy({ $0.isDigit }),
            code.count == 3 || code.last == UInt8(ascii: " ")
        else { return nil }
        server = Array(name)
        reply = Array(line[colon.upperBound...])
    }

    /// What stands where RFC 2034 wants a status.
    var status: ArraySlice<UInt8> { reply.dropFirst(4).prefix { $0 != UInt8(ascii: " ") } }
}
