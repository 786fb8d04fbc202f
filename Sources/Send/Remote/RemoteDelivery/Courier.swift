import ByteText
package import Posix
package import RemoteDialogue

/// Takes a message to the first of some servers that decides about it.
package struct Courier<Upgrade: TLSUpgrade> {
    private let settings: RemoteSettings
    private let errand: Errand
    private let memory: TimeoutMemory
    private let upgrade: Upgrade

    /// A delivery with these settings.
    package init(
        _ settings: RemoteSettings, _ errand: Errand, _ memory: TimeoutMemory, _ upgrade: Upgrade
    ) {
        self.settings = settings
        self.errand = errand
        self.memory = memory
        self.upgrade = upgrade
    }

    /// The most servers that may come to nothing in the middle of a session; RFC 5321 §5.1 wants at least two tried.
    private var sessionLimit: Int { 3 }

    /// What came of one server.
    private enum Attempt {
        case decided(RemoteReport)
        /// There was no connection.
        case unreachable([UInt8])
        /// There was one, and nothing came of it.
        case unusable([UInt8])
        /// The server offered TLS and could not do it.
        case noHandshake
    }

    /// Ask one server after the other.
    ///
    /// - Parameters:
    ///   - message: What to deliver.
    ///   - targets: The servers in the order of preference.
    ///   - handshake: The connection to the first of them if it waits for the TLS handshake.
    /// - Returns: The report.
    package func deliver(
        _ message: borrowing OutgoingMessage, to targets: [RemoteTarget],
        handshake: consuming FileDescriptor? = nil
    ) -> RemoteReport {
        var words = [UInt8]("there is no server to ask (#4.4.4)")
        var sessions = 0
        var connection = handshake
        for i in targets.indices {
            let rest = Array(targets[i...])
            var attempt: Attempt
            if let socket = connection.take() {
                attempt = goOn(over: socket, rest, message)
            } else {
                attempt = ask(rest, message, withTLS: true)
            }
            if case .noHandshake = attempt { attempt = ask(rest, message, withTLS: false) }
            switch attempt {
            case .decided(let report): return report
            case .unusable(let reason):
                words = reason
                sessions += 1
                if sessions == sessionLimit { return RemoteReport(.putOff, words) }
            case .unreachable(let reason):
                // What a server said is better to know than that another one is not there.
                if sessions == 0 { words = reason }
            case .noHandshake: continue
            }
        }
        return RemoteReport(.putOff, words)
    }

    private func ask(
        _ targets: [RemoteTarget], _ message: borrowing OutgoingMessage, withTLS: Bool
    ) -> Attempt {
        let target = targets[0]
        let known = memory.look(for: target.address)
        if known.isLeftAlone {
            return .unreachable(
                target.peer.text
                    + [UInt8](" did not answer not long ago and was not asked (#4.4.1)"))
        }
        let socket: FileDescriptor
        do throws(Errno) { socket = try connect(target) } catch {
            if error == .timedOut { memory.timedOut(target.address) }
            return .unreachable(
                [UInt8]("unable to connect to ") + target.peer.text + [UInt8](": ") + error.text
                    + [UInt8](" (#4.4.1)"))
        }
        if known.isKnown { memory.answered(target.address) }
        var stream = SocketStream(socket)
        var dialogue = RemoteDialogue(
            errand, with: target.peer,
            .greeting(wantsTLS: withTLS && upgrade.isWanted(for: target)))
        switch RemoteSession.run(&dialogue, over: &stream, message, patience: settings.patience) {
        case .result(.decided(let report)): return .decided(report)
        case .result(.unusable(let reason)): return .unusable(reason)
        case .secure: return goOn(over: stream.release(), targets, message)
        }
    }

    private func goOn(
        over socket: consuming FileDescriptor, _ targets: [RemoteTarget],
        _ message: borrowing OutgoingMessage
    ) -> Attempt {
        switch upgrade.goOn(over: socket, targets, errand, message, patience: settings.patience) {
        case .decided(let report): .decided(report)
        case .unusable(let reason): .unusable(reason)
        case nil: .noHandshake
        }
    }

    private func connect(_ target: RemoteTarget) throws(Errno) -> FileDescriptor {
        guard
            let address = SocketAddress.internet(target.address.text, port: target.port)
        else { throw .noAddress }
        let socket = try FileDescriptor.connect(
            to: address, from: settings.source(for: target.address),
            until: Deadline(milliseconds: settings.connectPatience))
        // Each command is one write, and is answered before the next.
        try socket.sendAtOnce()
        return socket
    }
}
