import AdminReport
import ByteText
import ControlFiles
import Posix

/// Owners and modes of the programs that change their caller's rights, and who may write what they trust.
enum ModeCheck {
    /// What a program's file must be.
    struct Expectation: Equatable {
        let path: String
        let user: String
        let group: String
        let mode: UInt32
        /// Without it there is no mail at all.
        let isNeeded: Bool
        /// In words of setcap(8), or empty.
        var capability = ""

        var words: String { "\(user) \(group) \(String(mode, radix: 8))" }
    }

    /// For an installation without the packages' table.
    static let builtIn = [
        Expectation(
            path: "/usr/sbin/qmail-queue", user: "qmailq", group: "qmail", mode: 0o6755,
            isNeeded: true),
        Expectation(
            path: "/usr/sbin/qhpsi", user: "qscand", group: "qmail", mode: 0o4750, isNeeded: true),
        Expectation(
            path: "/usr/lib/qhpsi/qhpsi-host", user: "qscand", group: "qscand", mode: 0o2550,
            isNeeded: true, capability: "cap_setgid=p"),
        Expectation(
            path: "/usr/sbin/qhpsi-checkpassword", user: "root", group: "root", mode: 0o4755,
            isNeeded: false),
    ]

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        lookAtPrograms(machine, &found)
        lookAtTrusted(machine, &found)
        found.wellIfNothing("owners and modes are as they should be")
    }

    /// The packages' table has lines `package user group mode path [capability]`.
    static func expectations(_ table: String?) -> [Expectation] {
        guard let table else { return builtIn }
        return Array(table.utf8).lines.compactMap { line in
            let words = line.words.map { String(printable: $0) }
            guard words.count == 5 || words.count == 6, !words[0].hasPrefix("#"),
                words[4].hasPrefix("/"),
                let mode = UInt32(words[3], radix: 8)
            else { return nil }
            return Expectation(
                path: words[4], user: words[1], group: words[2], mode: mode,
                isNeeded: builtIn.contains { $0.path == words[4] && $0.isNeeded },
                capability: words.count == 6 ? words[5] : "")
        }
    }

    private static func lookAtPrograms(_ machine: Machine, _ found: inout Examination) {
        guard machine.hasOwners else {
            found.skipped("a private instance without etc/qhpsi/ids has no set-id programs")
            return
        }
        let overrides = overrides(machine.text("/var/lib/dpkg/statoverride"))
        for expected in expectations(machine.text("/usr/share/qhpsi/modes")) {
            let file = machine.shown(expected.path)
            guard let status = machine.status(expected.path) else {
                if expected.isNeeded {
                    found.problem(
                        "there is no \(file)", why: "no message is accepted without it",
                        repair: "apt install --reinstall qhpsi-queue")
                }
                continue
            }
            lookForSetID(machine, expected, &found)
            lookForCapability(machine, expected, &found)
            let real = Expectation(
                path: expected.path, user: machine.accounts.userName(status.owner),
                group: machine.accounts.groupName(status.group), mode: status.permissions,
                isNeeded: expected.isNeeded, capability: expected.capability)
            if real == expected { continue }
            let what = "\(file) is \(real.words), not \(expected.words)"
            let why = "it has too many rights or too few; mail may stop or be open to others"
            let own = "\(expected.user):\(expected.group)"
            // chown takes a capability away.
            let again =
                expected.capability.isEmpty ? "" : " && setcap \(expected.capability) \(file)"
            let mode = String(expected.mode, radix: 8)
            let repair = "chown \(own) \(file) && chmod \(mode) \(file)\(again)"
            if overrides[expected.path] == real.words {
                found.advice(
                    what, why: "dpkg-statoverride has it so; " + why,
                    repair: "if you did not mean it: dpkg-statoverride --remove \(expected.path)")
            } else {
                found.problem(what, why: why, repair: repair)
            }
        }
    }

    private static func lookForCapability(
        _ machine: Machine, _ expected: Expectation, _ found: inout Examination
    ) {
        guard expected.capability == "cap_setgid=p" else { return }
        do throws(Errno) {
            guard try !Files.permitsSettingGroups(machine.path(expected.path)) else { return }
        } catch {
            return  // What cannot be found is said elsewhere.
        }
        let file = machine.shown(expected.path)
        found.problem(
            "\(file) has not the capability \(expected.capability)",
            why: "a message of a user who is in several groups cannot be scanned without them",
            repair: "setcap \(expected.capability) \(file)")
    }

    private static func lookForSetID(
        _ machine: Machine, _ expected: Expectation, _ found: inout Examination
    ) {
        guard expected.mode & 0o6000 != 0 else { return }
        do throws(Errno) {
            guard try FileSystem(of: machine.path(expected.path)).ignoresSetID else { return }
        } catch {
            return  // What cannot be found is said elsewhere.
        }
        found.problem(
            "\(machine.shown(expected.path)) is on a file system mounted nosuid",
            why: "its set-id bits do nothing there", repair: "mount it without nosuid")
    }

    /// Lines `user group mode path` of dpkg's own file, as words by path.
    private static func overrides(_ text: String?) -> [String: String] {
        var overrides: [String: String] = [:]
        for line in Array((text ?? "").utf8).lines {
            let words = line.words.map { String(printable: $0) }
            guard words.count == 4, let mode = UInt32(words[2], radix: 8) else { continue }
            overrides[words[3]] = "\(words[0]) \(words[1]) \(String(mode, radix: 8))"
        }
        return overrides
    }

    /// What decides how mail is handled is root's, and nobody else may write it.
    private static func lookAtTrusted(_ machine: Machine, _ found: inout Examination) {
        var paths = [
            "/etc/qhpsi", "/etc/qhpsi/control", "/etc/qhpsi/defaultqueue", "/etc/qhpsi/tcp",
            "/usr/lib/qhpsi", "/usr/lib/qhpsi/plugins",
        ]
        for folder in [
            "/etc/qhpsi/control", "/etc/qhpsi/defaultqueue", "/etc/qhpsi/tcp",
            "/usr/lib/qhpsi/plugins",
        ] {
            paths += machine.names(folder).map { folder + "/" + $0 }
        }
        for path in paths {
            guard let status = machine.status(path) else { continue }
            let isOurs = !machine.hasOwners || status.owner == 0 || path.hasSuffix(".pem")
            let others: UInt32 = status.permissions & 0o022
            guard !isOurs || others != 0 else { continue }
            let file = machine.shown(path)
            found.problem(
                isOurs
                    ? "\(file) can be written by others (mode \(String(status.permissions, radix: 8)))"
                    : "\(file) belongs to \(machine.accounts.userName(status.owner))",
                why: "whoever writes it decides what is scanned and accepted",
                repair: isOurs ? "chmod go-w \(file)" : "chown root:root \(file)")
        }
    }
}
