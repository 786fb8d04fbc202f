import Posix
import Testbed

extension PrivateInstance {
    /// qhpsictl with these arguments, looking after this instance.
    func qhpsictl(_ arguments: [String]) throws -> Outcome {
        try command("usr/sbin/qhpsictl", arguments).run()
    }
}

/// A private instance whose mail a script scans: what has a marked self-test is infected.
struct ScriptedMail {
    let instance: PrivateInstance
    let server: ListeningServer

    static let scanner = "if grep -q '^Subject: QHPSI self-test, marked'; then exit 1; fi\nexit 0\n"

    /// Start its server.
    ///
    /// - Parameters:
    ///   - settings: Variables beside QHPSI.
    ///   - scanner: The script's body; nil: nothing is scanned.
    /// - Throws: When it does not start.
    init(_ settings: [String: String] = [:], scanner: String? = ScriptedMail.scanner) throws {
        instance = try PrivateInstance()
        var command = instance.command("usr/sbin/qmail-smtpd")
        if let scanner {
            let path = try instance.script("scanner", scanner)
            command.set("QHPSI", "\(path) message")
        }
        for (name, value) in settings { command.set(name, value) }
        server = try ListeningServer(command)
    }

    func selftest(_ arguments: [String] = []) throws -> Outcome {
        try instance.qhpsictl(["selftest", "--port", "\(server.port)"] + arguments)
    }
}
