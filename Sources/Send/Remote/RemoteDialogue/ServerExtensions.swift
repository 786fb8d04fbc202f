import ByteText

/// What a server offers, as far as it matters to who sends a message; RFC 5321 §4.1.1.1.
package struct ServerExtensions: Equatable, Sendable {
    /// RFC 3207.
    package var hasTLS = false
    /// RFC 6152.
    package var hasEightBit = false
    /// RFC 6531.
    package var hasUTF8 = false
    /// RFC 2920.
    package var hasPipelining = false
    /// RFC 1870.
    package var hasSize = false
    /// Octets that a message may have; nil: it does not say.
    package var sizeLimit: Int?

    /// Those of a server that knows none, to which HELO was said.
    package init() {}

    /// Those of a reply to EHLO.
    package init(_ reply: RemoteReply) {
        // The first line has the server's name.
        for line in reply.lines.dropFirst() {
            // RFC 1869 is in old servers as AUTH= and SIZE= lines.
            let words = line.split { $0.isBlank || $0 == UInt8(ascii: "=") }.map { Array($0) }
            guard let name = words.first else { continue }
            if name.equalsIgnoringCase("STARTTLS") { hasTLS = true }
            if name.equalsIgnoringCase("8BITMIME") { hasEightBit = true }
            if name.equalsIgnoringCase("SMTPUTF8") { hasUTF8 = true }
            if name.equalsIgnoringCase("PIPELINING") { hasPipelining = true }
            if name.equalsIgnoringCase("SIZE") {
                hasSize = true
                let limit = words.count > 1 ? words[1].decimalValue ?? 0 : 0
                sizeLimit = limit > 0 ? limit : nil
            }
        }
    }
}
