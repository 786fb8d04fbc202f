import Address
import ByteText
import CommandLine
import MessageComposition

/// The arguments of sendmail(8).
package struct SendmailOptions: Equatable, Sendable {
    /// What is asked for.
    package enum Work: Sendable {
        case send
        /// Speak SMTP on descriptors 0 and 1.
        case serve
        /// Say whether mail for the recipients can be delivered.
        case verify
        /// List the queue.
        case list
        /// Compile the aliases.
        case compileAliases
        /// Try the queue now, which qmail-send does by itself.
        case nothing
    }

    /// Why they mean nothing.
    package enum Flaw: Error, Equatable, Sendable {
        case unknown(UInt8)
        case withoutValue(UInt8)
        /// Another than `m`, `s`, `v`, `p` and `i` after -b.
        case mode(UInt8)
        case noRecipients
    }

    /// What to do.
    package private(set) var work = Work.send
    /// Whether the message's header names recipients, by -t.
    package private(set) var readsHeader = false
    /// The sender's name for people, by -F.
    package private(set) var name: [UInt8]?
    /// The sender, by -f or -r, empty for the null sender.
    package private(set) var sender: [UInt8]?
    /// What the sender wants to be told, by -N, -R and -V.
    package private(set) var notify: [UInt8]?
    package private(set) var returned: [UInt8]?
    package private(set) var envelopeID: [UInt8]?
    /// The recipients, each as an envelope has it.
    package private(set) var recipients: [[UInt8]] = []

    private var runsQueue = false

    /// Read the words, the program's name first: as `mailq` or `newaliases` it needs no option.
    package init(_ words: [[UInt8]]) throws(Flaw) {
        let path = words.first ?? []
        let name = Array(path[((path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)...])
        if name.equals("mailq") { work = .list }
        if name.equals("newaliases") { work = .compileAliases }
        var options = OptionWords(words.dropFirst())
        while let letter = options.next() { try take(letter, &options) }
        for word in options.rest { recipients += Self.recipients(word) }
        if work == .verify, recipients.isEmpty { throw .noRecipients }
        guard work == .send, recipients.isEmpty, !readsHeader else { return }
        guard runsQueue else { throw .noRecipients }
        work = .nothing
    }

    private mutating func take(_ letter: UInt8, _ options: inout OptionWords) throws(Flaw) {
        switch letter {
        case UInt8(ascii: "t"): readsHeader = true
        case UInt8(ascii: "I"): work = .compileAliases
        case UInt8(ascii: "q"):
            runsQueue = true
            _ = options.attachedValue()
        case UInt8(ascii: "d"): _ = options.attachedValue()
        case UInt8(ascii: "c"), UInt8(ascii: "G"), UInt8(ascii: "i"), UInt8(ascii: "m"),
            UInt8(ascii: "n"), UInt8(ascii: "s"), UInt8(ascii: "T"), UInt8(ascii: "U"),
            UInt8(ascii: "v"), UInt8(ascii: "x"):
            break
        default:
            guard Self.takesValue(letter) else { throw .unknown(letter) }
            guard let value = options.value() else { throw .withoutValue(letter) }
            try take(letter, value)
        }
    }

    private static func takesValue(_ letter: UInt8) -> Bool {
        let letters: StaticString = "ABCDFLMNOQRVXbefhopr"
        return letters.withUTF8Buffer { $0.contains(letter) }
    }

    private mutating func take(_ letter: UInt8, _ value: [UInt8]) throws(Flaw) {
        switch letter {
        case UInt8(ascii: "b"): work = try Self.work(value)
        case UInt8(ascii: "F"): name = value
        case UInt8(ascii: "f"), UInt8(ascii: "r"): sender = Self.sender(value)
        case UInt8(ascii: "N"): notify = value
        case UInt8(ascii: "R"): returned = value
        case UInt8(ascii: "V"): envelopeID = value
        default: break
        }
    }

    private static func work(_ mode: [UInt8]) throws(Flaw) -> Work {
        switch mode.first {
        case UInt8(ascii: "m"): .send
        case UInt8(ascii: "s"): .serve
        case UInt8(ascii: "v"): .verify
        case UInt8(ascii: "p"): .list
        case UInt8(ascii: "i"): .compileAliases
        case let other: throw .mode(other ?? UInt8(ascii: "?"))
        }
    }

    /// The recipients in a word, which may be written as in a header; what cannot be read so is one address.
    private static func recipients(_ word: [UInt8]) -> [[UInt8]] {
        do throws(AddressFlaw) {
            return try AddressList(word).addresses.map { argument($0) }
        } catch {
            return [word]
        }
    }

    private static func sender(_ word: [UInt8]) -> [UInt8] {
        do throws(AddressFlaw) {
            guard let address = try AddressList(word).addresses.first else { return [] }
            return argument(address)
        } catch {
            return word
        }
    }

    /// An address so that what is before its last `@` is the local part.
    private static func argument(_ address: MailAddress) -> [UInt8] {
        let isAmbiguous =
            address.domain == nil && address.localPart.contains(UInt8(ascii: "@"))
        return address.envelope + (isAmbiguous ? [UInt8(ascii: "@")] : [])
    }
}
