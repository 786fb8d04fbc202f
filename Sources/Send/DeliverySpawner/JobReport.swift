import ByteText

/// What a spawner tells qmail-send of a delivery.
package struct JobReport: Equatable, Sendable {
    /// How it went; the raw value is the report's first byte.
    package enum Kind: UInt8, Sendable {
        /// `K`: the message is where it should be.
        case success = 75
        /// `Z`: it is to be tried again.
        case deferral = 90
        /// `D`: it cannot be delivered.
        case failure = 68
    }

    /// The most bytes of a text.
    package static let textLimit = 2000

    /// How it went.
    package let kind: Kind
    /// Words for the log and the notice: lines of printable ASCII, at most `textLimit` bytes, perhaps none.
    package let text: [UInt8]

    /// A report with any words, of which those that are not printable become `?`; line feeds stay.
    package init(_ kind: Kind, _ text: [UInt8]) {
        self.kind = kind
        self.text = text.prefix(Self.textLimit).map { byte in
            if byte == 10 { return byte }
            if byte == 9 || byte == 13 { return UInt8(ascii: " ") }
            return byte.isPrintable ? byte : UInt8(ascii: "?")
        }
    }

    /// A report with words of ours.
    package init(_ kind: Kind, _ text: StaticString) { self.init(kind, [UInt8](text)) }

    /// As qmail-send reads it: the delivery's number in two bytes, the low one first, the kind, the text and a NUL.
    package func frame(_ number: UInt16) -> [UInt8] {
        let head = [UInt8(number & 255), UInt8(number >> 8), kind.rawValue]
        return head + text + [0]
    }
}
