import ByteText
import MailFormat
import SMTPGrammar

/// The Received field that a server puts before the message; RFC 5321 §4.4.
package enum TraceField {
    /// The field, two lines that end in LF.
    ///
    /// What the client or the DNS said stands there without bytes that could end a comment or a line.
    package static func received(
        from peer: SessionSettings.Peer, helo: [UInt8], by name: [UInt8], with: StaticString,
        under encryption: Encryption? = nil, seconds: Int
    ) -> [UInt8] {
        var field = [UInt8]("Received: from ")
        field.append(safe: peer.host)
        field.append(" (HELO ")
        field.append(safe: helo)
        field.append(") (")
        field.append(safe: peer.address)
        field.append(")\n  by ")
        field.append(safe: name)
        field.append(" with ")
        field.append(with)
        if let encryption {
            field.append("\n  (")
            field.append(safe: encryption.version)
            field.append(" with cipher ")
            field.append(safe: encryption.cipher)
            field.append(" ")
            field.append(decimal: encryption.keyLength)
            field.append(" bits)")
        }
        field.append("; ")
        field.append(contentsOf: MailDate.rfc5322(seconds: seconds))
        field.append("\n")
        return field
    }
}

extension [UInt8] {
    /// At most 255 bytes, and only such as a name or address literal has.
    fileprivate mutating func append(safe text: [UInt8]) {
        for byte in text.prefix(255) { append(byte.isSafe ? byte : UInt8(ascii: "?")) }
    }
}

extension UInt8 {
    fileprivate var isSafe: Bool {
        if isLetter || isDigit { return true }
        return switch self {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"),
            UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "@"), UInt8(ascii: "+"),
            UInt8(ascii: "="), UInt8(ascii: "/"), UInt8(ascii: "%"):
            true
        default: false
        }
    }
}
