import ByteText
import ControlFiles
import Posix

/// What a scan must not have, and how qhpsi-host gives it up.
enum HostConfinement {
    /// Why a scan must not be made.
    struct Failure: Error {
        let reason: [UInt8]

        init(_ reason: StaticString) { self.reason = [UInt8](reason) }
        init(_ what: StaticString, _ error: Errno) {
            reason = [UInt8]("unable to ") + [UInt8](what) + [UInt8](": ") + error.text
        }
    }

    /// How many processes the scanners' user can have, over all scans, before a scanner starts one more.
    private static let mostProcesses: UInt = 4096

    /// Give up, for good and in this order: all supplementary groups, the group and the user of the caller,
    /// all capabilities, new rights by exec, and being looked into; then look whether it is so.
    ///
    /// The groups are those of whoever started qmail-queue, and of qmail-queue: only the file capability cap_setgid
    /// drops them, or root. A private instance has one user, its scanners may do what he may, and he keeps his groups.
    static func enter(_ instance: Instance) throws(Failure) {
        let isPrivate = !instance.root.isEmpty
        let group = Process.effectiveGroup
        let user = Process.effectiveUser
        var groupsLeft = 0
        do throws(Errno) {
            if !isPrivate { groupsLeft = try dropGroups() }
            try Process.setGroup(group)
            try Process.setUser(user)
            if !isPrivate { try Process.dropCapabilities() }
            try Process.forbidNewPrivileges()
            try Process.hideMemory()
            // qhpsi ends what it watches; this is for when it is killed itself.
            try Process.endWithParent()
        } catch {
            throw Failure("leave the queue's group", error)
        }
        guard groupsLeft == 0 else {
            throw Failure(
                "unable to drop the caller's groups; type: setcap cap_setgid=p /usr/lib/qhpsi/qhpsi-host"
            )
        }
        if !isPrivate { try confirm(instance, user: user, group: group) }
    }

    /// Drop the supplementary groups, and say how many are left.
    ///
    /// Mail from the network comes without any: then that is known, and there is nothing to drop.
    private static func dropGroups() throws(Errno) -> Int {
        if try Process.supplementaryGroupCount() == 0 { return 0 }
        try Process.raiseCapabilities()
        do throws(Errno) { try Process.setSupplementaryGroups([]) } catch {
            // Without the capability; the caller sees how many are left.
            if error != .notPermitted { throw error }
        }
        return try Process.supplementaryGroupCount()
    }

    private static func confirm(
        _ instance: Instance, user: UInt32, group: UInt32
    ) throws(Failure) {
        let file: FileStatus
        let isWhole: Bool
        do throws(Errno) {
            file = try FileStatus(of: instance.pluginHost)
            let hasCapabilities = try Process.hasCapabilities()
            let groups = try Process.groupIdentities()
            let users = try Process.userIdentities()
            isWhole =
                groups == [group, group, group] && users == [user, user, user]
                && !hasCapabilities && !Process.mayGainPrivileges
        } catch {
            throw Failure("confirm that the queue's group is left", error)
        }
        // Where set-id bits do nothing the group is still the queue's.
        guard file.permissions & 0o2000 != 0, file.group == group else {
            throw Failure("it is not set-group-id here; qhpsictl doctor says what to type")
        }
        guard isWhole else { throw Failure("rights that were given up are still there") }
    }

    /// Keep what this process becomes from reaching other scans, and from having processes without limit.
    ///
    /// - Parameter view: What the scanner may read; nil: all that its user may.
    /// - Throws: That it cannot be confined, and must not run.
    static func isolate(_ view: ScannerView?) throws(Failure) {
        do throws(Errno) {
            try Process.limitProcesses(to: mostProcesses)
            // An older kernel has no domains; all that a scanner starts ends with its scan there, too.
            guard let domain = Domain() else { return }
            if let view {
                try view.allow(in: domain)
            } else {
                try domain.allow([UInt8(ascii: "/")], listed: true)
            }
            try domain.enter()
        } catch {
            throw Failure("confine the scanner", error)
        }
    }
}
