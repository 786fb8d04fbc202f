import ByteText
package import CommandLine
import ControlFiles
import Posix

/// The program qmail-start(8): becomes qmail-send, with its helpers beside it, each as its own user.
package enum StartProgram {
    /// Why it did not start.
    private enum Failure: Error {
        case ids([UInt8])
        case call(StaticString, Errno)
        case program([UInt8], Errno)

        var text: [UInt8] {
            switch self {
            case .ids(let reason): reason
            case .call(let what, let reason):
                [UInt8]("unable to ") + [UInt8](what) + [UInt8](": ") + reason.text
            case .program(let path, let reason):
                [UInt8]("unable to start ") + path + [UInt8](": ") + reason.text
            }
        }
    }

    /// Start all, and be qmail-send.
    ///
    /// - Returns: Only when that cannot be: 111, after a line on descriptor 2; see qmail-start(8).
    package static func run(_ program: Program) -> Int32 {
        let arguments = Process.arguments
        if arguments.count > 1, arguments[1].first == UInt8(ascii: "-") {
            return program.misused()
        }
        do throws(Failure) {
            try start(
                instance: Instance.current(Environment.current),
                delivery: arguments.count > 1 ? arguments[1] : [UInt8]("./Maildir/"),
                logger: Array(arguments.dropFirst(2)))
        } catch {
            return program.fatal(error.text)
        }
    }

    /// The users that the programs become.
    private struct Users {
        let sending: ChildUser
        let cleaning: ChildUser
        let remote: ChildUser
        let logging: ChildUser

        /// Of Debian's nogroup on every machine; see base-passwd's users-and-groups.
        private static let noGroup: UInt32 = 65534

        /// Look them up.
        init(_ ids: Identities) throws(Failure) {
            func user(_ name: StaticString, _ group: StaticString) throws(Failure) -> ChildUser {
                guard let user = ids.user(name), let group = ids.group(group) else {
                    throw .ids([UInt8]("no ") + [UInt8](name) + [UInt8](" in the ids file"))
                }
                return ChildUser(identifier: user, group: group)
            }
            sending = try user("qmails", "qmail")
            cleaning = try user("qmailq", "qmail")
            remote = try user("qmailr", "qmail")
            guard let logger = ids.user("qmaill") else {
                throw .ids([UInt8]("no qmaill in the ids file"))
            }
            // It gets the log on its descriptor 0, and has nothing to do with the queues.
            logging = ChildUser(identifier: logger, group: Self.noGroup)
        }
    }

    /// The users; nil for a private instance that belongs to whoever runs it.
    private static func users(_ instance: Instance) throws(Failure) -> Users? {
        guard Process.effectiveUser == 0 else { return nil }
        let ids: Identities
        do throws(ControlFailure) {
            ids = try Identities(path: instance.ids, mustBeTrusted: true)
        } catch {
            if case .unreadable(_, let reason) = error, reason == .noSuchFile,
                !instance.root.isEmpty
            {
                return nil
            }
            throw .ids(error.text)
        }
        return try Users(ids)
    }

    private static func start(
        instance: Instance, delivery: [UInt8], logger: [[UInt8]]
    ) throws(Failure) -> Never {
        let users = try users(instance)
        do throws(Errno) { try Files.changeDirectory(instance.spool) } catch {
            throw .call("enter the queues' folder", error)
        }
        Process.setFileModeMask(0o077)
        let pipes = try makePipes()
        let log: Int32 = logger.isEmpty ? 1 : pipes[13]
        if !logger.isEmpty {
            try launch(program(logger[0]), logger, users?.logging, [pipes[12], 1, 2])
        }
        let local = instance.path("/usr/sbin/qmail-lspawn")
        try launch(local, [local, delivery], nil, [pipes[0], pipes[3], log])
        let remote = instance.path("/usr/sbin/qmail-rspawn")
        try launch(remote, [remote], users?.remote, [pipes[4], pipes[7], log])
        let clean = instance.path("/usr/sbin/qmail-clean")
        try launch(clean, [clean], users?.cleaning, [pipes[8], pipes[11], log])
        let send = instance.path("/usr/sbin/qmail-send")
        var become = Launch(
            send, arguments: [send], environment: Environment.current,
            descriptors: [
                0, log, log, pipes[1], pipes[2], pipes[5], pipes[6], pipes[9], pipes[10],
            ])
        become.user = users?.sending
        throw .program(send, become.become())
    }

    /// The numbers of both ends of seven pipes: to each of three programs and from it, and to the logger.
    private static func makePipes() throws(Failure) -> [Int32] {
        var numbers: [Int32] = []
        do throws(Errno) {
            try Process.fillStandardDescriptors()
            for _ in 0..<7 { numbers += try Pipe().numbers() }
        } catch {
            throw .call("make pipes", error)
        }
        return numbers
    }

    /// The file of a program that is called by its name, or the name.
    private static func program(_ name: [UInt8]) -> [UInt8] {
        if name.contains(UInt8(ascii: "/")) { return name }
        return Files.program(name, in: Environment.current["PATH"] ?? [UInt8]("/usr/bin:/bin"))
            ?? name
    }

    private static func launch(
        _ path: [UInt8], _ arguments: [[UInt8]], _ user: ChildUser?, _ descriptors: [Int32]
    ) throws(Failure) {
        var launch = Launch(
            path, arguments: arguments, environment: Environment.current, descriptors: descriptors)
        launch.user = user
        do throws(Errno) { _ = try launch.start() } catch { throw .program(path, error) }
    }
}

extension Pipe {
    /// The numbers of both ends, which now belong to the caller: where bytes come out, then where they go in.
    fileprivate consuming func numbers() -> [Int32] {
        [reading.release(), writing.release()]
    }
}
