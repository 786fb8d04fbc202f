import AdminReport
import ByteText
import Posix

/// The certificate of TLS: there, the scanner's and the server's only, and not over.
enum CertificateCheck {
    private static let path = "/etc/qhpsi/control/servercert.pem"
    private static let patience = 20

    @Sendable static func look(_ machine: Machine, _ found: inout Examination) {
        let file = machine.shown(path)
        let asking = machine.services.filter { service in
            guard !service.isKeptDown else { return false }
            let source = machine.sources.first { $0.name == service.name }
            return ["SMTPS", "FORCE_TLS"].contains { source?.text($0)?.isEmpty == false }
        }
        guard let status = machine.status(path) else {
            // One that signs itself does for mail between servers; whoever has another one knows where it is.
            let repair = renewal(machine)
            if let service = asking.first {
                found.problem(
                    "there is no certificate \(file)", why: "\(service.name) needs one",
                    repair: repair)
            } else {
                found.advice(
                    "there is no certificate \(file)",
                    why: "STARTTLS is not offered, and mail comes in the clear", repair: repair)
            }
            return
        }
        let count = found.findings.count
        lookAtOwner(machine, path, status, &found)
        if let status = machine.status(keyPath) {
            lookAtOwner(machine, keyPath, status, &found)
        } else if machine.text(path)?.contains("PRIVATE KEY") == false {
            found.problem(
                "there is no key of \(file)", why: why, repair: renewal(machine))
        }
        if found.findings.count == count { lookAtPair(machine, &found) }
        lookAtTime(machine, file, &found)
    }

    private static let keyPath = "/etc/qhpsi/control/serverkey.pem"
    private static let why = "STARTTLS is offered and answered with 454 in every session"

    /// The command that makes a new pair, which does for mail between servers.
    private static func renewal(_ machine: Machine) -> String {
        let folder = machine.shown("/etc/qhpsi/control")
        return
            "cd \(folder) && openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj \"/CN=$(cat me)\" -keyout serverkey.pem -out servercert.pem && chown qmaild serverkey.pem && chmod 600 serverkey.pem"
    }

    /// Whether key and certificate belong together; openssl(1) knows.
    private static func lookAtPair(_ machine: Machine, _ found: inout Examination) {
        let program = Array("/usr/bin/openssl".utf8)
        let certificate = machine.shown(path)
        let key = machine.exists(keyPath) ? keyPath : path
        guard machine.isRoot || machine.text(key) != nil else {
            found.unchecked(
                "whether \(machine.shown(key)) is the key of \(certificate)", why: why,
                repair: "run it as root")
            return
        }
        func ask(_ words: [String]) throws(Errno) -> ToolRun {
            try ToolRun(program, words.map { Array($0.utf8) }, seconds: patience)
        }
        do throws(Errno) {
            let wanted = try ask(["x509", "-noout", "-pubkey", "-in", certificate])
            // What is no certificate is told of below.
            guard wanted.code == 0 else { return }
            let there = try ask(["pkey", "-pubout", "-in", machine.shown(key), "-passin", "pass:"])
            if there.code == 0, there.output.trimmed == wanted.output.trimmed { return }
            found.problem(
                there.code == 0
                    ? "\(machine.shown(key)) is not the key of \(certificate)"
                    : "there is no key in \(machine.shown(key))",
                why: why, repair: renewal(machine))
        } catch {
            return  // Without openssl it cannot be told.
        }
    }

    private static func lookAtOwner(
        _ machine: Machine, _ path: String, _ status: FileStatus, _ found: inout Examination
    ) {
        let file = machine.shown(path)
        let holdsKey = machine.text(path)?.contains("PRIVATE KEY") ?? true
        let user = machine.accounts.user("qmaild")
        if holdsKey, status.permissions & 0o007 != 0 {
            found.problem(
                "everybody may read \(file) (mode \(String(status.permissions, radix: 8)))",
                why: "the private key is in it", repair: "chmod 600 \(file)")
        }
        guard machine.hasOwners, let user else { return }
        let isReadable =
            status.owner == user.id && status.permissions & 0o400 != 0
            || status.group == user.group && status.permissions & 0o040 != 0
            || status.permissions & 0o004 != 0
        if !isReadable {
            found.problem(
                "qmaild cannot read \(file)", why: why,
                repair: "chown qmaild \(file) && chmod u+r \(file)")
        }
    }

    /// openssl(1) knows, and is only asked where it is installed.
    private static func lookAtTime(
        _ machine: Machine, _ file: String, _ found: inout Examination
    ) {
        let program = Array("/usr/bin/openssl".utf8)
        func ask(_ words: [String]) throws(Errno) -> ToolRun {
            let arguments = ["x509", "-noout", "-in", file] + words
            return try ToolRun(program, arguments.map { Array($0.utf8) }, seconds: patience)
        }
        do throws(Errno) {
            let end = try ask(["-enddate"])
            guard end.code == 0 else {
                found.problem(
                    "\(file) is no certificate: \(end.firstWords)",
                    why: why, repair: renewal(machine))
                return
            }
            let date = String(
                printable: end.output.trimmed.drop { $0 != UInt8(ascii: "=") }.dropFirst())
            let why = "clients that check certificates send no mail"
            let isOwn =
                try ask(["-issuer"]).output.dropFirst(7) == ask(["-subject"]).output.dropFirst(8)
            // One that signs itself is made anew.
            let repair = isOwn ? renewal(machine) : "certbot renew"
            if try ask(["-checkend", "0"]).code != 0 {
                found.problem("\(file) was valid until \(date)", why: why, repair: repair)
            } else if try ask(["-checkend", "\(14 * 86400)"]).code != 0 {
                found.advice("\(file) is valid until \(date) only", why: why, repair: repair)
            } else {
                found.well("\(file) is valid until \(date)")
            }
        } catch {
            found.unchecked(
                "\(file) is there; openssl, which knows its end and its key, is not: \(String(printable: error.text))",
                why: "clients that check certificates send no mail when its time is over",
                repair: "apt install openssl")
        }
    }
}
