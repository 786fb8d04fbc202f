import ByteText
import CommandLine
import MessageComposition

/// The arguments of qmail-inject(8).
package struct InjectOptions: Equatable, Sendable {
    /// Whom the message goes to.
    package enum Recipients: Sendable { case arguments, header, argumentsOrHeader, both }

    /// Whom it goes to, by -a, -h, -A and -H.
    package private(set) var recipients = Recipients.argumentsOrHeader
    /// The envelope's sender, by -f, as it was given.
    package private(set) var sender: [UInt8]?
    /// Whether the message is only printed, by -n.
    package private(set) var isPrinted = false
    /// The recipients that were given.
    package private(set) var addresses: [[UInt8]] = []

    /// Read the words after the program's name; nil when there is an unknown option, or one without its value.
    package init?(_ words: ArraySlice<[UInt8]>) {
        var options = OptionWords(words)
        while let letter = options.next() {
            switch letter {
            case UInt8(ascii: "a"): recipients = .arguments
            case UInt8(ascii: "h"): recipients = .header
            case UInt8(ascii: "A"): recipients = .argumentsOrHeader
            case UInt8(ascii: "H"): recipients = .both
            case UInt8(ascii: "n"): isPrinted = true
            case UInt8(ascii: "N"): isPrinted = false
            case UInt8(ascii: "f"):
                guard let value = options.value() else { return nil }
                sender = value
            default: return nil
            }
        }
        addresses = options.rest
    }

    /// Whether the header names recipients.
    package var usesHeader: Bool {
        switch recipients {
        case .arguments: false
        case .header, .both: true
        case .argumentsOrHeader: addresses.isEmpty
        }
    }

    /// Whether the arguments do.
    package var usesArguments: Bool { recipients != .header }
}
