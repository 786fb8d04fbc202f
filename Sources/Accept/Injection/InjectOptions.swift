import ByteText
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

/// Words of a command line with options of one letter, as getopt(3) reads them.
struct OptionWords {
    private var words: ArraySlice<[UInt8]>
    /// The letters of a word that have not been read.
    private var letters: ArraySlice<UInt8> = []

    init(_ words: ArraySlice<[UInt8]>) { self.words = words }

    /// The words after the options.
    var rest: [[UInt8]] { Array(words) }

    /// The next option's letter, nil when there are no more.
    mutating func next() -> UInt8? {
        if letters.isEmpty {
            guard let word = words.first, word.count > 1, word[0] == UInt8(ascii: "-") else {
                return nil
            }
            words = words.dropFirst()
            if word.equals("--") { return nil }
            letters = word.dropFirst()
        }
        return letters.popFirst()
    }

    /// The value of the option that was read last: the rest of its word, or else the next word.
    mutating func value() -> [UInt8]? {
        if !letters.isEmpty { return attachedValue() }
        guard let word = words.first else { return nil }
        words = words.dropFirst()
        return word
    }

    /// The rest of the option's word, even if that is nothing.
    mutating func attachedValue() -> [UInt8] {
        defer { letters = [] }
        return Array(letters)
    }
}
