import ByteText
import ControlFiles
package import Posix
import ScanWire

/// The program qhpsid(8): the scan broker.
package enum BrokerStart {
    /// How it ended; see qhpsid(8).
    package enum Exit: Int32, Sendable {
        /// It was told to.
        case ended = 0
        case usage = 100
        case failed = 111
    }

    /// Be the broker of the instance that the variables say, until SIGTERM.
    package static func run(_ arguments: [[UInt8]], _ environment: Environment) -> Exit {
        guard arguments.count == 1 else {
            say([UInt8]("fatal: usage: qhpsid"))
            return .usage
        }
        do throws(BrokerFailure) {
            try serve(.current(environment), environment)
            return .ended
        } catch {
            say([UInt8]("fatal: ") + error.reason)
            return .failed
        }
    }

    private static let defaultLimit = 250
    private static let mostLimit = 1000
    private static let backlog: Int32 = 128

    private static func serve(
        _ instance: Instance, _ environment: Environment
    ) throws(BrokerFailure) {
        var limit = defaultLimit
        if let text = environment["MAXSCANS"]?.trimmed, !text.isEmpty {
            guard let number = text.decimalValue, number > 0, number <= mostLimit else {
                throw BrokerFailure(
                    [UInt8]("MAXSCANS is malformed: expected a number from 1 to 1000"))
            }
            limit = number
        }
        let signals = try prepared()
        let rights = try ScanRights(instance)
        let folder = try ScanFolder.made(instance, rights)
        let isolation = Isolation()
        let kept = try rights.trial()
        try note(isolation.missing + (kept.map { [$0] } ?? []), instance)
        let listener = try listening(instance, rights)
        say([UInt8]("ready: at most ") + [UInt8](decimal: limit) + [UInt8](" scans at once"))
        var broker = ScanBroker(
            instance, rights, isolation, folder, listener, signals, limit: limit)
        do throws(Errno) { try broker.run() } catch {
            throw BrokerFailure([UInt8]("unable to go on"), error)
        }
    }

    private static func prepared() throws(BrokerFailure) -> FileDescriptor {
        do throws(Errno) {
            try Process.fillStandardDescriptors()
            try Process.closeDescriptors(from: 3)
            Process.setFileModeMask(0o077)
            try Files.changeDirectory([UInt8(ascii: "/")])
            try Process.setCoreSize(0)
            for signal in Signal.ofTerminalsAndLimits where signal.number != Signal.interrupt.number
            {
                signal.ignore()
            }
            try Process.hideMemory()
            try Descendants.adopt()
            return try Signal.queue([.childEnded, .terminate, .interrupt])
        } catch {
            throw BrokerFailure([UInt8]("unable to begin"), error)
        }
    }

    /// The socket, which its group can connect to, and nobody before it has that group.
    private static func listening(
        _ instance: Instance, _ rights: ScanRights
    ) throws(BrokerFailure) -> FileDescriptor {
        let path = BrokerSocket.path(instance)
        removeSocket(instance)
        do throws(Errno) {
            let socket = try BrokerSocket.bound(to: path)
            if let machine = rights.machine {
                try Files.setOwner(path, user: machine.queueUser, group: machine.queueGroup)
            }
            try Files.setPermissions(path, 0o660)
            try socket.listen(backlog: backlog)
            return socket
        } catch {
            throw BrokerFailure(path, error)
        }
    }

    /// Take the socket's name away: then qhpsi goes the other way at once.
    static func removeSocket(_ instance: Instance) {
        do throws(Errno) { try Files.unlink(BrokerSocket.path(instance)) } catch {
            // No such file was there.
        }
    }

    /// Say what of the isolation is missing, in the log and in a file for `qhpsictl doctor`.
    private static func note(
        _ missing: [[UInt8]], _ instance: Instance
    ) throws(BrokerFailure) {
        let path = instance.path("/run/qhpsi/qhpsid.missing")
        var text: [UInt8] = []
        for line in missing {
            say([UInt8]("warning: missing here: ") + line)
            text += line + [UInt8(ascii: "\n")]
        }
        do throws(Errno) {
            let file = try FileDescriptor.open(path, .replace)
            try file.write(text)
            try file.setPermissions(0o644)
        } catch {
            throw BrokerFailure(path, error)
        }
    }

    /// Say of a process that has ended what is not as usual.
    static func tell(of ending: Child.Ending) {
        switch ending {
        case .exited(0): break
        case .exited(let code):
            say([UInt8]("warning: a process ended with ") + [UInt8](decimal: code))
        case .killed(let signal):
            say([UInt8]("warning: a process was killed by signal ") + [UInt8](decimal: signal))
        }
    }

    /// A line for the log.
    static func say(_ text: [UInt8]) {
        FileDescriptor.tell([UInt8]("qhpsid: ") + text + [UInt8(ascii: "\n")], on: 2)
    }
}
