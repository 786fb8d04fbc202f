import ByteText

/// The text of a Message-ID field.
package enum MessageIdentifier {
    /// One that no other message of this host has: no two live processes share a number, and no process sends two
    /// messages in a microsecond.
    package static func text(
        _ time: (seconds: Int, microseconds: Int), process: Int32, host: [UInt8]
    ) -> [UInt8] {
        var text = [UInt8]("<")
        text += MailDate.digits(seconds: time.seconds)
        text.append(".")
        text.append(decimal: time.microseconds)
        text.append(".")
        text.append(decimal: process)
        text.append(".qhpsi@")
        text += host.filter { $0 > 32 && $0 != 127 && $0 != UInt8(ascii: ">") }
        text.append(">")
        return text
    }
}
