import AdminReport
import ArgumentParser
import ControlFiles
import Posix
import SelfTest

struct SelftestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "selftest",
        abstract: "Send a clean and a marked message, and say what becomes of them.",
        discussion: """
            Both go through the SMTP port to the server's postmaster, with the sender that gets no \
            bounces. The marked one has EICAR's test file attached, which every scanner must find. \
            Accepted messages stay in the queue like any other and are delivered.
            """)

    @Option(help: "The server's numeric address, or localhost.")
    var server = "127.0.0.1"

    @Option(help: "Its port.")
    var port: UInt16 = 25

    @Option(help: "The sender; by default the empty one.")
    var from = ""

    @Option(help: "The recipient.")
    var to = "postmaster"

    @Option(help: "Attach this file instead of EICAR's.", completion: .file())
    var sample: String?

    @Option(help: "Seconds that each message may take.")
    var timeout = 180

    @Flag(help: "Print JSON.")
    var json = false

    private static let sampleLimit = 1 << 25

    func validate() throws {
        for address in [from, to] where address.utf8.contains(where: { $0 <= 32 || $0 == 127 }) {
            throw ValidationError("An address has no blanks and no control characters.")
        }
        guard !to.isEmpty else { throw ValidationError("The recipient is empty.") }
        guard (1...3600).contains(timeout) else {
            throw ValidationError("The timeout is from 1 to 3600 seconds.")
        }
        guard address != nil else {
            throw ValidationError("No numeric address: \(server)")
        }
    }

    private var address: SocketAddress? {
        .internet(Array((server == "localhost" ? "127.0.0.1" : server).utf8), port: port)
    }

    func run() throws {
        guard let address else { return }  // `validate` has refused it.
        let instance = Instance.current(Environment.current)
        var test = SelfTest(
            server: address, place: "\(server) port \(port)", instance: instance)
        test.sender = from
        test.recipient = to
        test.patience = timeout * 1000
        if let sample { test.marker = try contents(of: sample) }
        let report = SelfTestReport(test.run())
        try finish(
            json ? report.json.text + "\n" : report.text(recipient: to), report.exit)
    }

    private func contents(of path: String) throws -> [UInt8] {
        do throws(Errno) {
            return try Files.contents(Array(path.utf8), limit: Self.sampleLimit)
        } catch {
            let reason = String(printable: error.text)
            FileDescriptor.tell(
                Array("qhpsictl: fatal: unable to read \(path): \(reason)\n".utf8), on: 2)
            throw ExitCode(AdminExit.unable.rawValue)
        }
    }
}
