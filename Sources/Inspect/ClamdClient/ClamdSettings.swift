import ByteText
package import Posix

/// How clamd is asked, from the variables of qhpsi-clamd(7).
package struct ClamdSettings: Sendable {
    /// How the message gets to clamd.
    package enum Mode: Sendable {
        /// Its bytes, with INSTREAM.
        case stream
        /// Its open descriptor, with FILDES; over Unix sockets only.
        case descriptor
        /// Its open descriptor where the socket is a Unix socket and clamd can read it, and else its bytes.
        case automatic
    }

    /// Tried in this order.
    package let servers: [SocketAddress]
    package let mode: Mode
    /// How long a clamd that is away is waited for, in milliseconds.
    package let patience: Int

    /// A variable whose value cannot be meant; the text names it.
    package struct Misconfiguration: Error, Equatable, Sendable {
        /// What is wrong, and the value.
        package let text: [UInt8]
        init(_ words: StaticString, _ value: [UInt8]) { text = [UInt8](words) + value }
    }

    /// Read `CLAMD_SOCKETS`, `CLAMD_MODE` and `CLAMD_RETRY`.
    package init(_ environment: Environment) throws(Misconfiguration) {
        var servers: [SocketAddress] = []
        for word in (environment["CLAMD_SOCKETS"] ?? [UInt8]("/run/clamav/clamd.ctl")).words {
            guard let server = Self.server(word) else {
                throw Misconfiguration("CLAMD_SOCKETS: not a socket: ", word)
            }
            servers.append(server)
        }
        if servers.isEmpty { throw Misconfiguration("CLAMD_SOCKETS names no socket", []) }
        let mode = environment["CLAMD_MODE"] ?? [UInt8]("auto")
        if mode.equals("auto") {
            self.mode = .automatic
        } else if mode.equals("fdpass") {
            guard servers.allSatisfy({ $0.isLocal }) else {
                throw Misconfiguration("CLAMD_MODE=fdpass needs Unix sockets", [])
            }
            self.mode = .descriptor
        } else if mode.equals("stream") {
            self.mode = .stream
        } else {
            throw Misconfiguration("CLAMD_MODE: not auto, stream or fdpass: ", mode)
        }
        let patience = environment["CLAMD_RETRY"] ?? [UInt8]("10000")
        guard let milliseconds = patience.decimalValue else {
            throw Misconfiguration("CLAMD_RETRY: not a number: ", patience)
        }
        self.patience = milliseconds
        self.servers = servers
    }

    /// One word of `CLAMD_SOCKETS`: an absolute path, `tcp:ADDRESS:PORT` or `tcp:[ADDRESS]:PORT`.
    ///
    /// - Returns: Nil when the word is neither of these, or a path that is too long for a socket.
    package static func server(_ word: [UInt8]) -> SocketAddress? {
        if word.first == UInt8(ascii: "/") { return .local(word) }
        guard word.starts(with: "tcp:"), let colon = word.lastIndex(of: UInt8(ascii: ":")),
            colon > 4, let port = Array(word[(colon + 1)...]).decimalValue, (1...65535) ~= port
        else { return nil }
        var host = Array(word[4..<colon])
        if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]") {
            host = Array(host.dropFirst().dropLast())
        }
        return .internet(host, port: UInt16(port))
    }
}
