import AdminReport
import ByteText
import ClamdClient
import ControlFiles
import Posix

/// Whether every clamd that the settings name is there, open to the scanner, and answers.
enum ClamdCheck {
    /// Milliseconds for one question.
    private static let patience = 5000

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        let words = sockets(machine, &found)
        if words.isEmpty, found.findings.isEmpty { found.skipped("no QHPSI here asks clamd") }
        for word in words {
            lookAtPermissions(machine, word, &found)
            ask(machine, word, &found)
        }
    }

    /// The words of `CLAMD_SOCKETS` that mail uses, and clamdscan's socket, each once.
    static func sockets(_ machine: Machine, _ found: inout Examination) -> [[UInt8]] {
        var all: [[UInt8]] = []
        for source in machine.allSources {
            switch source.clamd {
            case .plugin:
                do throws(ClamdSettings.Misconfiguration) {
                    _ = try ClamdSettings(source.environment)
                } catch {
                    found.problem(
                        "\(source.name): \(String(printable: error.text))",
                        why: "every scan fails, and mail is deferred",
                        repair: source.set("CLAMD_SOCKETS", "/run/clamav/clamd.ctl"))
                    continue
                }
                let words = source.environment["CLAMD_SOCKETS"] ?? [UInt8]("/run/clamav/clamd.ctl")
                for word in words.words where !all.contains(word) { all.append(word) }
            case .program:
                let word =
                    machine.clamdConfiguration?.text("LocalSocket") ?? "/run/clamav/clamd.ctl"
                if !all.contains(Array(word.utf8)) { all.append(Array(word.utf8)) }
            case .none: break
            }
        }
        return all
    }

    private static func lookAtPermissions(
        _ machine: Machine, _ word: [UInt8], _ found: inout Examination
    ) {
        guard word.first == UInt8(ascii: "/"), machine.hasOwners, let status = status(word),
            status.permissions & 0o002 == 0,
            status.group != machine.accounts.group("qscand")?.id || status.permissions & 0o020 == 0
        else { return }
        let file = machine.shown(machine.clamdConfigurationPath)
        found.problem(
            "\(String(printable: word)) has mode \(String(status.permissions, radix: 8)): the user qscand cannot connect",
            why: "the scanner runs as qscand, and mail is deferred when it cannot ask clamd",
            repair:
                "sed -i '/^LocalSocketMode /d' \(file); echo 'LocalSocketMode 666' >>\(file); \(machine.clamdRestart)"
        )
    }

    private static func status(_ path: [UInt8]) -> FileStatus? {
        do throws(Errno) { return try FileStatus(following: path) } catch { return nil }
    }

    private static func ask(_ machine: Machine, _ word: [UInt8], _ found: inout Examination) {
        let shown = String(printable: word)
        guard let address = ClamdSettings.server(word) else { return }
        do throws(Errno) {
            let pong = try answer(to: "zPING\0", from: address)
            guard pong == Array("PONG".utf8) else {
                found.problem(
                    "\(shown) answers PING with: \(String(printable: pong.prefix(100)))",
                    why: "it is not clamd, or one that has trouble; mail is deferred",
                    repair: "name clamd's socket in CLAMD_SOCKETS")
                return
            }
            let version = try answer(to: "zVERSION\0", from: address)
            found.well("\(shown) answers: \(String(printable: version.prefix(100)))")
        } catch {
            found.problem(
                "clamd at \(shown): \(String(printable: error.text))",
                why:
                    "mail is deferred with 451, or with QHPSIONERROR=accept not scanned, as long as no clamd answers",
                repair: remedy(machine))
        }
    }

    /// How clamd is started here, so that it is up after a boot, too.
    private static func remedy(_ machine: Machine) -> String {
        guard let service = machine.services.first(where: { $0.name == "clamd" }),
            !service.isKeptDown
        else {
            // What is disabled is not there after the next boot; the socket starts it when it is asked.
            return
                "systemctl enable --now clamav-daemon.socket clamav-daemon.service || apt install clamav-daemon"
        }
        return "svc -u \(service.shown); tail /var/log/qhpsi/clamd/current"
    }

    /// What clamd says to a command, without the NUL.
    static func answer(
        to command: String, from address: SocketAddress
    ) throws(Errno) -> [UInt8] {
        let deadline = Deadline(milliseconds: patience)
        let socket = try FileDescriptor.connect(to: address, until: deadline)
        let bytes = Array(command.utf8)
        _ = try socket.send(bytes, 0..<bytes.count)  // A new connection has room for these few.
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while answer.count < 4096 {
            guard try Polling.wait(for: socket.rawValue, .readable, until: deadline) else {
                throw .timedOut
            }
            let count = try socket.read(into: &buffer)
            if count == 0 { break }
            answer += buffer[..<count]
            if answer.last == 0 { break }
        }
        if answer.last == 0 { answer.removeLast() }
        return answer
    }
}

extension Machine {
    /// The command that starts clamd anew.
    var clamdRestart: String {
        guard let service = services.first(where: { $0.name == "clamd" }), !service.isKeptDown
        else { return "systemctl restart clamav-daemon" }
        return "svc -t \(service.shown)"
    }
}
