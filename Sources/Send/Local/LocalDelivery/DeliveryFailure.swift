import ByteText
package import Posix

/// Why a message was not delivered, or not everywhere; also the exit code of qmail-local(8) and fastforward(1).
package struct DeliveryFailure: Error {
    /// The program's exit code.
    package enum Code: Int32 {
        /// It will not get better.
        case permanent = 100
        /// It is to be tried again.
        case temporary = 111
    }

    /// What it means for the message.
    package let code: Code
    /// What the sender is told in the end, one line.
    package let text: [UInt8]
    /// Whether that is only told if a program has not said anything.
    private let isSpare: Bool

    /// What stands before a line that counts only when there is no other: what a program has written nobody but the reader
    /// of the pipe can know.
    package static let spareMark: UInt8 = 1

    /// The line for descriptor 1.
    package var line: [UInt8] { (isSpare ? [Self.spareMark] : []) + text + [10] }

    /// A failure in our own words.
    package init(_ code: Code, _ text: StaticString) {
        self.code = code
        self.text = [UInt8](text)
        isSpare = false
    }

    /// A failure that a program has perhaps told of.
    init(_ code: Code, ifNothingElse words: [UInt8]) {
        self.code = code
        text = words.map { $0.isPrintable ? $0 : UInt8(ascii: "?") }
        isSpare = true
    }

    /// A failure in anybody's words, of which one printable line is made.
    package init(_ code: Code, words: [UInt8]) {
        self.code = code
        text = words.map { $0.isPrintable ? $0 : UInt8(ascii: "?") }
        isSpare = false
    }

    /// A step that may work another time.
    package init(unable verb: StaticString, _ object: [UInt8], _ reason: Errno) {
        let text = [UInt8]("Unable to ") + [UInt8](verb) + object + [UInt8](": ") + reason.text
        self.init(.temporary, words: text + [UInt8](". (#4.3.0)"))
    }
}
