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
    /// What the sender is told in the end, one line; empty when a program has said it.
    package let text: [UInt8]

    /// A failure in our own words.
    package init(_ code: Code, _ text: StaticString) {
        self.code = code
        self.text = [UInt8](text)
    }

    /// A failure in anybody's words, of which one printable line is made.
    package init(_ code: Code, words: [UInt8]) {
        self.code = code
        text = words.map { $0.isPrintable ? $0 : UInt8(ascii: "?") }
    }

    /// A step that may work another time.
    package init(unable verb: StaticString, _ object: [UInt8], _ reason: Errno) {
        let text = [UInt8]("Unable to ") + [UInt8](verb) + object + [UInt8](": ") + reason.text
        self.init(.temporary, words: text + [UInt8](". (#4.3.0)"))
    }
}
