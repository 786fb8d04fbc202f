import ByteText
import ControlFiles
import LocalUsers
import Posix
import ProxyProtocol
import Routing

/// Takes connections and starts a program for each.
///
/// It waits for nobody but all of them together: no client can hold up another.
final class ConnectionServer {
    private var listener: Listener?
    private let signals: FileDescriptor
    private let options: ServerOptions
    private let admission: Admission
    private let program: SessionProgram
    /// How sessions begin for which names must be asked for; nil when none must.
    private let asking: SessionStart?
    private let names: ClientNames
    /// What sessions are told of the control files; nil: nothing.
    private let control: CurrentControlImage?
    private var log: ServerLog
    private var sessions = SessionTable()
    private var ended = EndedSessions()
    /// Connections whose proxy's header is not complete.
    private var waiting: [Connection] = []
    /// When connections are taken again after the machine was short of something.
    private var pause: Deadline?
    private var isOver = false

    /// Connections taken in a row before the ends of others are seen.
    private static let batch = 16
    private static let pauseMilliseconds = 100
    /// Exit codes 100 and 111 as wait(2) gives them; the lines of those who get no process end so.
    private static let deniedStatus: Int32 = 100 << 8
    private static let failedStatus: Int32 = 111 << 8

    /// The listening socket, which never waits; it goes when no more connections are taken.
    final class Listener {
        let socket: FileDescriptor
        init(_ socket: consuming FileDescriptor) { self.socket = socket }
    }

    init(
        _ options: ServerOptions, listener: Listener, signals: consuming FileDescriptor,
        environment: Environment
    ) {
        self.options = options
        self.listener = listener
        self.signals = signals
        admission = Admission(options, environment: environment)
        program = SessionProgram(options.command, environment)
        asking = options.asksForNames ? SessionStart(options.arguments, environment) : nil
        names = ClientNames(local: options.localName)
        control = options.keepsControl ? Self.image(of: .current(environment)) : nil
        log = ServerLog(options)
    }

    /// The control files and the users of an instance.
    private static func image(of instance: Instance) -> CurrentControlImage {
        let users = CurrentControlImage.Other(
            path: instance.path("/etc/passwd"), lines: { PasswordFile.sortedLines(of: $0) })
        let virtual = CurrentControlImage.Other(
            path: Control(of: instance).file("virtualdomains"),
            lines: { Routing.sortedLines(ofVirtualDomains: $0) })
        return CurrentControlImage(directory: instance.control, others: [users, virtual])
    }

    /// Serve until SIGTERM, then until the last session is over.
    func run() throws(Errno) {
        log.status(0)
        log.flush()
        while listener != nil || !waiting.isEmpty || sessions.count > 0 {
            if isOver { return }
            try step()
        }
    }

    /// Where it listens, nil when it does no more.
    func port() throws(Errno) -> UInt16? {
        guard let listener else { return nil }
        return try listener.socket.localEndpoint().port
    }

    private var count: Int { sessions.count + waiting.count }

    /// Wait for the next event and do what it asks for.
    private func step() throws(Errno) {
        var wanted = [(fd: signals.rawValue, interest: Polling.Interest.readable)]
        for connection in waiting { wanted.append((connection.socket.rawValue, .readable)) }
        if let pause, pause.hasPassed { self.pause = nil }
        if let listener, count < options.limit, pause == nil {
            wanted.append((listener.socket.rawValue, .readable))
        }
        let ready = try Polling.waitForSome(wanted, until: nextDeadline)
        if ready.first == 0 { try readSignals() }
        if ended.sweep?.hasPassed ?? false { endSessions() }
        // All of them, for the time of one may be over.
        if !waiting.isEmpty { readHeaders() }
        if let last = ready.last, last == wanted.count - 1, last > 0 { takeConnections() }
    }

    private var nextDeadline: Deadline? {
        let all = [pause, ended.sweep] + waiting.map { $0.deadline }
        return all.compactMap { $0 }.min { $0.at < $1.at }
    }

    // MARK: - Signals

    private func readSignals() throws(Errno) {
        // Another one makes the descriptor readable again.
        if try signals.nextSignal() == Signal.terminate.number {
            // The second one does not wait for sessions; they go on by themselves.
            if listener == nil { isOver = true }
            listener = nil
        }
        endSessions()
    }

    private func endSessions() {
        // The next connection must not wait longer than it has to, nor the server's own end.
        let isUrgent = count >= options.limit || listener == nil
        ended.take(from: &sessions, isUrgent: isUrgent) { child, status, left in
            if status == Self.failedStatus, let reason = child.reasonOfNoStart {
                log.drop("unable to run ", program.name, reason.words)
            }
            log.end(child.identifier, status: status)
            log.status(left + waiting.count)
        }
        log.flush()
    }

    // MARK: - Connections

    private func takeConnections() {
        for _ in 0..<Self.batch {
            guard let listener, count < options.limit else { return }
            var peer = InternetEndpoint(address: [], port: 0)
            do throws(Errno) {
                let socket = try listener.socket.acceptWithoutWaiting(&peer)
                begin(Connection(socket, peer: peer, headerWithin: options.proxyPatience))
            } catch {
                if error == .wouldBlock { return }
                if !error.isOfOneConnection {
                    log.warn("unable to accept", [], error.words)
                    log.flush()
                    pause = Deadline(milliseconds: Self.pauseMilliseconds)
                    return
                }
            }
        }
    }

    private func begin(_ connection: Connection?) {
        // A client that is gone already has no sides.
        guard let connection else { return }
        do throws(Errno) {
            if !options.keepsRoute, connection.sides.remote.address.width == 32 {
                try connection.socket.forgetRoute()
            }
            if options.sendsAtOnce { try connection.socket.sendAtOnce() }
            if !options.banner.isEmpty {
                _ = try connection.socket.send(options.banner, 0..<options.banner.count)
            }
        } catch {
            // The session will see what became of its connection.
        }
        if options.proxyPatience != nil {
            waiting.append(connection)
            log.status(count)
            log.flush()
            return
        }
        log.status(count + 1)
        decide(connection)
    }

    private func readHeaders() {
        var still: [Connection] = []
        let all = waiting
        waiting = []
        for (i, connection) in all.enumerated() {
            do throws(Errno) {
                switch try connection.readHeader() {
                case .complete: decide(connection, others: still.count + all.count - i - 1)
                case .wrong:
                    refuse(connection, [UInt8]("it is wrong"), still.count + all.count - i - 1)
                case .incomplete:
                    if connection.deadline?.hasPassed ?? true {
                        refuse(connection, Errno.timedOut.words, still.count + all.count - i - 1)
                    } else {
                        still.append(connection)
                    }
                }
            } catch {
                refuse(connection, error.words, still.count + all.count - i - 1)
            }
        }
        waiting = still
    }

    /// Start the session, or say why there is none; `others` wait for their headers.
    private func decide(_ connection: Connection, others: Int = 0) {
        defer { log.flush() }
        let sides = connection.sides
        let own = sessions.count(of: sides.remote.address)
        if let asking {
            // Its process writes the lines that come after these.
            log.flush()
            start(connection, others) { () throws(Errno) in
                try asking.start(connection, others: own, image: control?.descriptor())
            }
            return
        }
        switch admission.verdict(sides, names, others: own) {
        case .allowed(let environment):
            let launch: Launch
            do throws(Errno) {
                launch = try program.launch(
                    on: connection.socket.rawValue, image: control?.descriptor(), environment)
            } catch {
                log.begin(Process.identifier, sides)
                log.decide("ok", Process.identifier, sides, names)
                drop("unable to run ", program.name, error, others)
                return
            }
            guard
                let child = start(
                    connection, others, { () throws(Errno) in try launch.startAside() })
            else { return }
            log.begin(child.identifier, sides)
            log.decide("ok", child.identifier, sides, names)
        case .denied(let limit):
            log.begin(Process.identifier, sides)
            log.decide("deny", Process.identifier, sides, names, addressLimit: limit)
            log.end(Process.identifier, status: Self.deniedStatus)
            log.status(sessions.count + others)
        case .undecided(let reason):
            log.begin(Process.identifier, sides)
            drop("unable to read ", options.rules ?? [], reason, others)
        }
    }

    /// Start a session's process; nil when there is none.
    @discardableResult
    private func start(
        _ connection: Connection, _ others: Int, _ body: () throws(Errno) -> Child
    ) -> Child? {
        do throws(Errno) {
            let child = try body()
            sessions.add(process: child.identifier, address: connection.sides.remote.address)
            return child
        } catch {
            log.drop("unable to fork", [], error.words)
            log.status(sessions.count + others)
            return nil
        }
    }

    private func refuse(_ connection: Connection, _ reason: [UInt8], _ others: Int) {
        log.begin(Process.identifier, connection.sides)
        log.drop("unable to read PROXY header", [], reason)
        endWithoutSession(others)
        log.flush()
    }

    private func drop(_ what: StaticString, _ object: [UInt8], _ reason: Errno, _ others: Int) {
        log.drop(what, object, reason.words)
        endWithoutSession(others)
    }

    private func endWithoutSession(_ others: Int) {
        log.end(Process.identifier, status: Self.failedStatus)
        log.status(sessions.count + others)
    }
}

extension Errno {
    /// Whether the next connection may well be taken; see accept(2) on errors of the network.
    fileprivate var isOfOneConnection: Bool {
        self == .connectionAborted || self == .protocolError || self == .notPermitted
    }
}
