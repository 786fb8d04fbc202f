internal import ByteText
package import Posix
package import ScanProtocol

/// A client of clamd: it asks the servers in turn until one answers.
///
/// One that is away, because it restarts or reloads, is asked again after a pause, up to
/// `ClamdSettings.patience`. A wrong answer is never asked about again: it is a failure.
package struct ClamdClient {
    private let settings: ClamdSettings
    private let deadline: Deadline

    /// The longest time that connecting may take, in milliseconds; clamd is near.
    private static let connectLimit = 5000
    /// The first and the longest pause before a server is asked again, in milliseconds.
    private static let pauses = 20...1000
    /// How often clamd may go away with the message before the message is suspected to be why.
    private static let lossLimit = 2

    /// A client that gives its verdict before the deadline.
    package init(_ settings: ClamdSettings, deadline: Deadline) {
        self.settings = settings
        self.deadline = deadline
    }

    /// What clamd says of a message, asked as the variables `CLAMD_*` want it.
    ///
    /// - Parameters:
    ///   - message: Opened for reading.
    ///   - environment: Where the variables are.
    ///   - milliseconds: How long all of it may take; some of that is left for the report.
    /// - Returns: The verdict; failed when a variable makes no sense.
    package static func verdict(
        on message: borrowing FileDescriptor, _ environment: Environment, milliseconds: Int
    ) -> Verdict {
        let deadline = Deadline(milliseconds: milliseconds - min(200, milliseconds / 10))
        do throws(ClamdSettings.Misconfiguration) {
            return ClamdClient(try ClamdSettings(environment), deadline: deadline).scan(message)
        } catch {
            return .failed(reason: error.text)
        }
    }

    /// Scan a message.
    ///
    /// - Parameter message: Opened for reading; its position is not used or, in stream mode, moved.
    /// - Returns: The verdict, before the deadline.
    package func scan(_ message: borrowing FileDescriptor) -> Verdict {
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
                switch ask(server, about: message, until: share) {
                case .answered(let verdict): return verdict
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
        _ server: SocketAddress, about message: borrowing FileDescriptor, until share: Deadline
    ) -> ClamdExchange.Ending {
        do throws(Errno) {
            let limit = Deadline(milliseconds: min(Self.connectLimit, share.remaining))
            let socket = try FileDescriptor.connect(to: server, until: limit)
            let exchange = ClamdExchange(socket, until: share)
            return switch settings.mode {
            case .stream: exchange.stream(message)
            case .descriptor: exchange.pass(message)
            }
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
