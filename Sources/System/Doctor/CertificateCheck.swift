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
            let repair =
                "cd /etc/ssl && cat certs/NAME.pem private/NAME.key | install -o qmaild -m 600 /dev/stdin \(file)"
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
        lookAtOwner(machine, status, file, &found)
        lookAtTime(file, &found)
    }

    private static func lookAtOwner(
        _ machine: Machine, _ status: FileStatus, _ file: String, _ found: inout Examination
    ) {
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
                "qmaild cannot read \(file)", why: "STARTTLS fails in every session",
                repair: "chown qmaild \(file)")
        }
    }

    /// openssl(1) knows, and is only asked where it is installed.
    private static func lookAtTime(_ file: String, _ found: inout Examination) {
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
                    why: "STARTTLS fails in every session", repair: "openssl x509 -in \(file) -text"
                )
                return
            }
            let date = String(
                printable: end.output.trimmed.drop { $0 != UInt8(ascii: "=") }.dropFirst())
            let why = "clients that check certificates send no mail"
            let repair = "have it renewed, for instance: certbot renew"
            if try ask(["-checkend", "0"]).code != 0 {
                found.problem("\(file) was valid until \(date)", why: why, repair: repair)
            } else if try ask(["-checkend", "\(14 * 86400)"]).code != 0 {
                found.advice("\(file) is valid until \(date) only", why: why, repair: repair)
            } else {
                found.well("\(file) is valid until \(date)")
            }
        } catch {
            found.skipped(
                "\(file) is there; openssl, which knows its end, is not: \(String(printable: error.text))"
            )
        }
    }
}
