import ByteText
import CScanBroker
import ControlFiles
import Posix
import ScanWire

/// Who may ask the scan broker, and who its processes are.
struct ScanRights {
    /// The users and groups of an installed machine; nil in a private instance, which has one user.
    let machine: Machine?

    /// By /etc/qhpsi/ids.
    struct Machine {
        let scanUser: UInt32
        let scanGroup: UInt32
        let queueUser: UInt32
        let queueGroup: UInt32
    }

    /// Those of an instance.
    init(_ instance: Instance) throws(BrokerFailure) {
        guard instance.root.isEmpty else {
            machine = nil
            return
        }
        guard Process.effectiveUser == 0 else {
            throw BrokerFailure([UInt8]("root must start it"))
        }
        let ids: Identities
        do throws(ControlFailure) {
            ids = try Identities(path: instance.ids, mustBeTrusted: true)
        } catch {
            throw BrokerFailure(error.text)
        }
        guard let scanUser = ids.user("qscand"), let scanGroup = ids.group("qscand"),
            let queueUser = ids.user("qmailq"), let queueGroup = ids.group("qmail"),
            scanUser != 0, scanGroup != 0
        else {
            throw BrokerFailure(instance.ids + [UInt8](": qscand, qmailq or qmail is missing"))
        }
        machine = Machine(
            scanUser: scanUser, scanGroup: scanGroup, queueUser: queueUser, queueGroup: queueGroup)
    }

    /// Whether the kernel says that it is qhpsi, which is set-user-id qscand with the queue's group, as no scan is; or the
    /// queue's user.
    func believes(_ peer: BrokerSocket.Peer) -> Bool {
        guard let machine else { return peer.user == Process.effectiveUser }
        return peer.user == machine.scanUser && peer.group == machine.queueGroup
            || peer.user == machine.queueUser
    }

    /// What must not reach a process of the broker.
    enum Kind {
        /// It asks clamd, or is the first process of a pid namespace, whom nothing in there can signal.
        case alone
        /// It runs a scanner in sight of it: its real user is the queue's, so that the scanner can neither signal nor
        /// outlive it. What it starts leaves that user; see qhpsi-host(8).
        case beside
    }

    /// Become qscand for good, without groups, capabilities or ways to get any, killed with the parent; then look whether
    /// it is so.
    ///
    /// - Throws: Also that something is left: then nothing must be scanned.
    func drop(as kind: Kind) throws(Errno) {
        if let machine {
            try Process.setSupplementaryGroups([])
            try Process.setGroup(machine.scanGroup)
            // Root of a container may be unable to; what could come of it ends with PR_SET_NO_NEW_PRIVS.
            _ = cscan_empty_bounding_set()
            if cscan_set_users(realUser(machine, kind), machine.scanUser) == -1 { throw Errno.last }
            try Process.dropCapabilities()
        }
        try Process.forbidNewPrivileges()
        try Process.hideMemory()
        try Process.endWithParent()
        guard try isDropped(kind) else { throw .notPermitted }
    }

    /// Whether a process can become what it must here, as a child finds out.
    ///
    /// - Returns: Nil; or what it cannot leave behind, which does not stand in the way, for the log.
    /// - Throws: Why there can be no scan here.
    func trial() throws(BrokerFailure) -> [UInt8]? {
        let ending: Child.Ending
        do throws(Errno) {
            guard let child = try Process.fork() else { Process.exit(tried()) }
            ending = try child.wait()
        } catch {
            throw BrokerFailure([UInt8]("unable to start a process"), error)
        }
        if ending == .exited(0) { return nil }
        if ending == .exited(Self.keepsBoundingSet) {
            return [UInt8]("cap_setpcap: the bounding set of scanners is not empty")
        }
        guard case .exited(let reason) = ending else {
            throw BrokerFailure([UInt8]("a process was killed"))
        }
        throw BrokerFailure([UInt8]("unable to become qscand alone"), Errno(rawValue: reason))
    }

    /// No number of errno(3).
    private static let keepsBoundingSet: Int32 = 255

    private func tried() -> Int32 {
        if machine != nil, cscan_empty_bounding_set() == -1 { return Self.keepsBoundingSet }
        do throws(Errno) {
            try drop(as: .alone)
            return 0
        } catch {
            return error.rawValue
        }
    }

    private func realUser(_ machine: Machine, _ kind: Kind) -> UInt32 {
        kind == .alone ? machine.scanUser : machine.queueUser
    }

    private func isDropped(_ kind: Kind) throws(Errno) -> Bool {
        guard !Process.mayGainPrivileges, cscan_is_dumpable() == 0 else { return false }
        guard let machine else { return true }
        let group = machine.scanGroup
        let real = realUser(machine, kind)
        let groups = try Process.groupIdentities()
        let users = try Process.userIdentities()
        let others = try Process.supplementaryGroupCount()
        let hasCapabilities = try Process.hasCapabilities()
        return others == 0 && groups == [group, group, group] && !hasCapabilities
            && users == [real, machine.scanUser, real]
    }
}

/// Why there is no broker.
struct BrokerFailure: Error {
    let reason: [UInt8]
    init(_ reason: [UInt8]) { self.reason = reason }
    init(_ what: [UInt8], _ error: Errno) { reason = what + [UInt8](": ") + error.text }
}
