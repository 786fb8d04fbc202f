import ByteText
import CScanBroker
import Posix

/// What keeps scans apart on this machine, found out once by trying.
struct Isolation: ~Copyable {
    /// The pid namespace of the broker, open for good; -1: scans cannot have their own here.
    private let own: Int32
    /// What is missing, in words for the log and `qhpsictl doctor`.
    let missing: [[UInt8]]

    /// Try, before the broker starts anything.
    init() {
        var missing: [[UInt8]] = []
        let reason: Errno
        var own: Int32 = -1
        do throws(Errno) {
            let here = try FileDescriptor.open([UInt8]("/proc/self/ns/pid"), .read)
            reason = try Self.trial(here.rawValue)
            if reason == .none { own = here.release() }
        } catch {
            reason = error
        }
        if own == -1 {
            missing.append(
                [UInt8]("namespaces: ") + reason.text
                    + [UInt8](": scanners see processes of other scans"))
        }
        let version = cscan_domain_version()
        if version < 1 {
            missing.append([UInt8]("landlock: scanners can read messages of other scans"))
        }
        if own == -1, version < 6 {
            missing.append([UInt8]("landlock 6: scanners can send signals to other scans"))
        }
        self.own = own
        self.missing = missing
    }

    /// Whether each scan has namespaces of its own.
    var hasNamespaces: Bool { own != -1 }

    /// Fork; the child is the first process of a new pid namespace, if there are such here.
    ///
    /// - Returns: The child, and nil in the child itself.
    borrowing func fork() throws(Errno) -> Child? {
        own == -1 ? try Process.fork() : try Self.fork(returningTo: own)
    }

    private static func fork(returningTo own: Int32) throws(Errno) -> Child? {
        if cscan_part_processes() == -1 { throw Errno.last }
        let child: Child?
        do throws(Errno) { child = try Process.fork() } catch {
            rejoin(own)
            throw error
        }
        if child != nil { rejoin(own) }
        return child
    }

    /// Without this no process could be started any more.
    private static func rejoin(_ own: Int32) {
        guard cscan_rejoin_processes(own) == -1 else { return }
        BrokerStart.say([UInt8]("fatal: unable to return to the pid namespace"))
        Process.exit(BrokerStart.Exit.failed.rawValue)
    }

    /// In the child: see no other processes in /proc.
    borrowing func part() throws(Errno) {
        if own != -1, cscan_part_mounts() == -1 { throw Errno.last }
    }

    /// Why a process in namespaces of its own cannot be had.
    private static func trial(_ own: Int32) throws(Errno) -> Errno {
        guard let child = try fork(returningTo: own) else {
            Process.exit(cscan_part_mounts() == -1 ? Errno.last.rawValue : 0)
        }
        guard case .exited(let reason) = try child.wait() else { return .notPermitted }
        return Errno(rawValue: reason)
    }
}

extension Errno {
    fileprivate static let none = Errno(rawValue: 0)
}
