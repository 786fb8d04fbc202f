import Testbed

/// One clamd and one database behind every form that a scanner can have in QHPSI.
final class ScannerForms {
    let clamd: RealClamd
    private let instance: PrivateInstance
    private var number = 0

    /// Start clamd with these signatures: the file's name, and its lines.
    init(_ file: String, _ signatures: [String], settings: String = "", tells: Bool = true) throws {
        instance = try PrivateInstance()
        clamd = try RealClamd(settings, tells: tells)
        try clamd.database.write(file, signatures.joined(separator: "\n") + "\n")
        try clamd.restart()
    }

    /// The values of QHPSI, with what each needs beside it.
    var all: [(name: String, settings: [String: String])] {
        let configuration = clamd.configurationPath
        return [
            (
                "clamd.so by stream",
                [
                    "QHPSI": "plugin:clamd.so", "CLAMD_SOCKETS": clamd.socketPath,
                    "CLAMD_CONF": configuration,
                ]
            ),
            (
                "clamd.so by descriptor",
                [
                    "QHPSI": "plugin:clamd.so", "CLAMD_SOCKETS": clamd.socketPath,
                    "CLAMD_CONF": configuration, "CLAMD_MODE": "fdpass",
                ]
            ),
            (
                "libclamav.so",
                ["QHPSI": "plugin:libclamav.so", "CLAMAV_DATABASE": clamd.databasePath]
            ),
            (
                "clamdscan",
                [
                    "QHPSI":
                        "/usr/bin/clamdscan --config-file=\(configuration) --no-summary %s"
                ]
            ),
        ]
    }

    /// What clamscan of Debian says of these mails, each a file of its own: whether it found something.
    func foundByClamscan(_ mails: [[UInt8]]) throws -> [Bool] {
        number += 1
        let folder = "sent\(number)"
        try shell("mkdir '\(instance.root)/\(folder)'")
        for (i, mail) in mails.enumerated() {
            try instance.write("\(folder)/\(i)", mail)
        }
        let output = try shell(
            "'\(Tools.path(of: "clamscan"))' --no-summary -d '\(clamd.databasePath)' '\(instance.root)/\(folder)' || [ $? = 1 ]"
        )
        let lines = output.split(separator: "\n")
        guard lines.count == mails.count else { throw TestbedFailure(text: output) }
        return mails.indices.map { i in
            lines.contains { $0.contains("/\(folder)/\(i): ") && $0.hasSuffix(" FOUND") }
        }
    }

    /// A folder for files of the test.
    var folder: String { instance.root }

    /// What qmail-queue says of a mail with one form of the scanner.
    func verdict(on mail: [UInt8], _ settings: [String: String]) throws -> String {
        let run = try instance.queue(mail, settings: settings.merging(["REJECTVIRUS": "2"]) { $1 })
        return run.report["V"] ?? "exit \(run.code ?? -1)"
    }
}
