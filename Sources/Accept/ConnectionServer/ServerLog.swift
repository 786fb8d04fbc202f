import ByteText
import Posix

/// The lines of tcpserver on descriptor 2, those of one event in one write.
struct ServerLog {
    let verbosity: ServerOptions.Verbosity
    let limit: Int
    private var text: [UInt8] = []
    private static let longestWord = 100

    init(_ options: ServerOptions) {
        verbosity = options.verbosity
        limit = options.limit
    }

    /// `status: N/LIMIT`.
    mutating func status(_ count: Int) {
        guard verbosity == .connections else { return }
        text.append("tcpserver: status: ")
        text.append(decimal: count)
        text.append("/")
        text.append(decimal: limit)
        text.append("\n")
    }

    /// `pid PROCESS from ADDRESS`.
    mutating func begin(_ process: Int32, _ sides: Sides) {
        guard verbosity == .connections else { return }
        text.append("tcpserver: pid ")
        text.append(decimal: process)
        text.append(" from ")
        text += sides.remote.text
        text.append("\n")
    }

    /// `ok|deny PROCESS` and the two sides; colons stand between the parts, so IPv6 has brackets.
    mutating func decide(
        _ verb: StaticString, _ process: Int32, _ sides: Sides, _ names: ClientNames,
        addressLimit: Int? = nil
    ) {
        guard verbosity == .connections else { return }
        text.append("tcpserver: ")
        text.append(verb)
        text.append(" ")
        text.append(decimal: process)
        text.append(" ")
        append(names.local, sides.local.address)
        text.append(":")
        text.append(decimal: sides.local.port)
        text.append(" ")
        append(names.remote, sides.remote.address)
        text.append(":")
        appendWord(names.info)
        text.append(":")
        text.append(decimal: sides.remote.port)
        if let addressLimit {
            text.append(":maxperip=")
            text.append(decimal: addressLimit)
            let network = sides.remote.address.clientNetworkText
            if !network.isEmpty { text += [UInt8](":") + network }
        }
        text.append("\n")
    }

    /// `end PROCESS status STATUS`, as wait(2) has it.
    mutating func end(_ process: Int32, status: Int32) {
        guard verbosity == .connections else { return }
        text.append("tcpserver: end ")
        text.append(decimal: process)
        text.append(" status ")
        text.append(decimal: status)
        text.append("\n")
    }

    /// `warning: WHAT OBJECT: REASON`.
    mutating func warn(_ what: StaticString, _ object: [UInt8] = [], _ reason: [UInt8]) {
        guard verbosity != .nothing else { return }
        text.append("tcpserver: warning: ")
        text.append(what)
        text += object
        text.append(": ")
        text += reason
        text.append("\n")
    }

    /// The warning that the connection gets no session.
    mutating func drop(_ what: StaticString, _ object: [UInt8], _ reason: [UInt8]) {
        warn("dropping connection, ", [UInt8](what) + object, reason)
    }

    /// Write the lines since the last time.
    mutating func flush() {
        if text.isEmpty { return }
        Self.write(text)
        text.removeAll(keepingCapacity: true)
    }

    /// Write to descriptor 2; who cannot be told goes on.
    static func write(_ text: [UInt8]) {
        FileDescriptor.tell(text, on: 2)
    }

    private mutating func append(_ name: [UInt8]?, _ address: IPAddress) {
        appendWord(name)
        text.append(":")
        if address.width > 32 { text.append("[") }
        address.append(to: &text)
        if address.width > 32 { text.append("]") }
    }

    /// What outsiders say, so that it stays one part of the line, and short.
    private mutating func appendWord(_ word: [UInt8]?) {
        guard let word else { return }
        for byte in word.prefix(Self.longestWord) {
            let isPlain =
                byte > 32 && byte < 127 && byte != UInt8(ascii: "%") && byte != UInt8(ascii: ":")
            text.append(isPlain ? byte : UInt8(ascii: "?"))
        }
        if word.count >= Self.longestWord { text.append("...") }
    }
}
