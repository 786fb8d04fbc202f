import ByteText
package import Posix
package import ScanProtocol

/// A client of clamd: it asks the servers in turn until one answers.
///
/// One that is away, because it restarts or reloads, is asked again after a pause, up to
/// `ClamdSettings.patience`. A wrong answer is never asked about again: it is a failure.
package struct ClamdClient {
    private let settings: ClamdSettings
    private let deadline: Deadline
    private let environment: Environment
    private let root: [UInt8]

    /// The longest time that connecting may take, in milliseconds; clamd is near.
    private static let connectLimit = 5000
    /// The first and the longest pause before a server is asked again, in milliseconds.
    private static let pauses = 20...1000
    /// How often clamd may go away with the message before the message is suspected to be why.
    private static let lossLimit = 2

    private init(
        _ environment: Environment, root: [UInt8], deadline: Deadline
    ) throws(ClamdSettings.Misconfiguration) {
        settings = try ClamdSettings(environment)
        self.environment = environment
        self.root = root
        self.deadline = deadline
    }

    /// What clamd says of a message, asked as the variables `CLAMD_*` want it.
    ///
    /// - Parameters:
    ///   - message: Opened for reading.
    ///   - environment: Where the variables are.
    ///   - root: What stands before the paths of an instance.
    ///   - milliseconds: How long all of it may take; some of that is left for the report.
    /// - Returns: The verdict, failed when a variable makes no sense, and who gave it: `clamd`, with a word about how it
    ///   was asked when it did not take the descriptor.
    package static func report(
        on message: borrowing FileDescriptor, _ environment: Environment, root: [UInt8],
        milliseconds: Int
    ) -> ScanReport {
        let deadline = Deadline(milliseconds: milliseconds - min(200, milliseconds / 10))
        do throws(ClamdSettings.Misconfiguration) {
            return try ClamdClient(environment, root: root, deadline: deadline).scan(message)
        } catch {
            return ScanReport(.failed(reason: error.text), scanner: [UInt8]("clamd"))
        }
    }

    /// Scan a message; its position is not used or, by stream, moved.
    private func scan(_ message: borrowing FileDescriptor) -> ScanReport {
        var room: TemporaryRoom?
        if settings.servers.allSatisfy({ $0.isLocal }) {
            do throws(Errno) {
                room = TemporaryRoom(environment, root: root, size: try message.status().size)
            } catch {
                // Reading the message says so.
            }
        }
        var way = Way(isAutomatic: settings.mode == .automatic, seesRoom: room != nil)
        let verdict = verdict(on: message, &way)
        var scanner = [UInt8]("clamd")
        if let refusal = way.refusal {
            scanner += [UInt8](" by stream: ") + refusal.prefix(Self.wordsLimit)
        }
        return ScanReport(room?.judged(verdict) ?? verdict, scanner: scanner)
    }

    /// How clamd is asked where no setting says it.
    private struct Way {
        let isAutomatic: Bool
        /// A full folder shows in the answer to the message's bytes only, so without this they are sent.
        let seesRoom: Bool
        /// Why the bytes are sent although the descriptor was tried.
        var refusal: [UInt8]?
    }

    /// What a plugin can say of its name is short.
    private static let wordsLimit = 46

    private func verdict(
        on message: borrowing FileDescriptor, _ way: inout Way
    ) -> Verdict {
        let patience = Deadline(milliseconds: min(settings.patience, deadline.remaining))
        var pause = Self.pauses.lowerBound
        var losses = 0
        while true {
            var reason: [UInt8] = []
            var mayComeBack = false
            for (i, server) in settings.servers.enumerated() {
                // A server that hangs leaves those after it their share of the time.
                let share = Deadline(
                    milliseconds: deadline.remaining / (settings.servers.count - i))
                switch ask(server, about: message, until: share, &way) {
                case .answered(let verdict), .refused(_, let verdict): return verdict
                case .absent(let error):
                    mayComeBack = mayComeBack || Self.isPassing(error)
                    reason = [UInt8]("unable to connect to clamd: ") + error.text
                case .lost:
                    mayComeBack = true
                    losses += 1
                    reason = [UInt8]("clamd closed the connection without a reply")
                case .silent: reason = [UInt8]("clamd did not answer in time")
                case .unreadable(let error):
                    return .failed(reason: [UInt8]("the message cannot be read: ") + error.text)
                }
                if losses == Self.lossLimit { return .failed(reason: reason) }
            }
            if !mayComeBack || patience.hasPassed { return .failed(reason: reason) }
            Clock.sleep(milliseconds: min(pause, max(1, patience.remaining)))
            pause = min(pause * 2, Self.pauses.upperBound)
        }
    }

    private func ask(
        _ server: SocketAddress, about message: borrowing FileDescriptor, until share: Deadline,
        _ way: inout Way
    ) -> ClamdExchange.Ending {
        guard way.isAutomatic, way.seesRoom, server.isLocal, way.refusal == nil else {
            return ask(
                server, about: message, until: share, passing: settings.mode == .descriptor)
        }
        let ending = ask(server, about: message, until: share, passing: true)
        switch ending {
        case .refused(let words, _):
            way.refusal = ScanReport.printable(words)
            return ask(server, about: message, until: share, passing: false)
        case .lost:
            // Who knows no descriptors may hang up.
            way.refusal = [UInt8]("no reply")
            return ending
        case .answered, .absent, .silent, .unreadable: return ending
        }
    }

    private func ask(
        _ server: SocketAddress, about message: borrowing FileDescriptor, until share: Deadline,
        passing: Bool
    ) -> ClamdExchange.Ending {
        do throws(Errno) {
            let limit = Deadline(milliseconds: min(Self.connectLimit, share.remaining))
            let socket = try FileDescriptor.connect(to: server, until: limit)
            let exchange = ClamdExchange(socket, until: share)
            return passing ? exchange.pass(message) : exchange.stream(message)
        } catch {
            return .absent(error)
        }
    }

    /// Whether a clamd that starts or is very busy can be why connecting failed.
    private static func isPassing(_ reason: Errno) -> Bool {
        switch reason {
        case .connectionRefused, .noSuchFile, .connectionReset, .wouldBlock, .timedOut: true
        default: false
        }
    }
}
