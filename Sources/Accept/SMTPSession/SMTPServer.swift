import ByteText
import ControlFiles
package import Posix
import SMTPGrammar

/// The program qmail-smtpd.
package enum SMTPServer {
    /// Serve the client on descriptors 0 and 1 and come back with the exit code; see qmail-smtpd(8).
    package static func run(_ arguments: [[UInt8]], _ environment: Environment) -> Int32 {
        if arguments.count > 1 { return explain(arguments[1]) }
        // A client that has gone is seen as an error of write(2).
        Signal.brokenPipe.ignore()
        do throws(Errno) {
            try Process.fillStandardDescriptors()
            return try serve(environment)
        } catch {
            return unableToServe
        }
    }

    private static let unableToServe: Int32 = 111
    private static let lost: Int32 = 1

    private static func serve(_ environment: Environment) throws(Errno) -> Int32 {
        let instance = Instance.current(environment)
        let control = Control(of: instance)
        let termination = try Signal.queue([.terminate])
        var stream = try DescriptorStream(
            input: FileDescriptor(adopting: 0), output: FileDescriptor(adopting: 1))
        let peer = SessionSettings.Peer(environment)
        let log = SessionLog(FileDescriptor(adopting: 2), peer: peer.address)
        let settings: SessionSettings
        let hosts: RecipientHosts
        do throws(ControlFailure) {
            settings = try SessionSettings(control, environment)
            hosts = try RecipientHosts(control, ownName: settings.dialogue.name)
        } catch {
            log.trouble(error.text)
            let reply = Reply(421, "4.3.5", "mail server cannot read its settings, try again later")
            try stream.write(reply.encoded, until: Deadline(milliseconds: 10_000))
            return unableToServe
        }
        var session = Session(
            stream, settings, environment,
            queueProgram: environment["QMAILQUEUE"] ?? instance.qmailQueue, hosts: hosts, log: log,
            termination: termination)
        return switch session.run() {
        case .quit: 0
        case .lost: lost
        }
    }

    private static func explain(_ argument: [UInt8]) -> Int32 {
        let isQuestion = argument.equals("--help") || argument.equals("--version")
        let output = FileDescriptor(adopting: isQuestion ? 1 : 2)
        do throws(Errno) {
            try output.write(
                [UInt8](
                    "qmail-smtpd of QHPSI: speaks SMTP on descriptors 0 and 1; it takes no arguments, see qmail-smtpd(8)\n"
                ))
            return isQuestion ? 0 : 100
        } catch {
            return unableToServe
        }
    }
}
