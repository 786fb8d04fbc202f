import ByteText
import Posix

/// The lines of tcpserver on descriptor 2, those of one event in one write.
struct ServerLog {
    let verbosity: ServerOptions.Verbosity
    let limit: Int
    let localName: [UInt8]
    private var text: [UInt8] = []

    init(_ options: ServerOptions) {
        verbosity = options.verbosity
        limit = options.limit
        localName = options.localName ?? []
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
    mutating func begin(_ process: Int32, _ connection: Connection) {
        guard verbosity == .connections else { return }
        text.append("tcpserver: pid ")
        text.append(decimal: process)
        text.append(" from ")
        text += connection.remote.text
        text.append("\n")
    }

    /// `ok|deny PROCESS` and the two sides; colons stand between the parts, so IPv6 has brackets.
    mutating func decide(
        _ verb: StaticString, _ process: Int32, _ connection: Connection, addressLimit: Int? = nil
    ) {
        guard verbosity == .connections else { return }
        text.append("tcpserver: ")
        text.append(verb)
        text.append(" ")
        text.append(decimal: process)
        text.append(" ")
        text += localName
        text.append(":")
        append(connection.local)
        text.append(" :")
        appendAddress(connection.remote)
        text.append("::")
        text.append(decimal: connection.remote.port)
        if let addressLimit {
            text.append(":maxperip=")
            text.append(decimal: addressLimit)
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

    private mutating func append(_ side: Connection.Side) {
        appendAddress(side)
        text.append(":")
        text.append(decimal: side.port)
    }

    private mutating func appendAddress(_ side: Connection.Side) {
        let isWide = side.address.width > 32
        if isWide { text.append("[") }
        text += side.text
        if isWide { text.append("]") }
    }
}
