import ByteText
package import CommandLine
import ControlFiles
package import Posix
import SMTPGrammar

/// The program qmail-smtpd.
package enum SMTPServer {
    /// Serve the client on descriptors 0 and 1 and come back with the exit code; see qmail-smtpd(8).
    package static func run(
        _ program: Program, _ arguments: [[UInt8]], _ environment: Environment
    ) -> Int32 {
        let command = Array(arguments.dropFirst())
        if command.first?.first == UInt8(ascii: "-") { return program.misused() }
        let tlsProgram =
            [Instance.current(environment).path("/usr/lib/qhpsi/qmail-smtpd-tls")] + command
        if !(environment["SMTPS"] ?? []).isEmpty {
            let reason = Process.execute(
                tlsProgram[0], arguments: tlsProgram, environment: environment)
            log(
                [UInt8]("unable to run ") + tlsProgram[0] + [UInt8](": ") + reason.text, environment
            )
            return unableToServe
        }
        do throws(Errno) {
            try prepare()
            let stream = try DescriptorStream(
                input: FileDescriptor(adopting: 0), output: FileDescriptor(adopting: 1))
            return try serve(
                stream, .greeting, checkpassword: command, tlsProgram: tlsProgram, environment)
        } catch {
            return unableToServe
        }
    }

    /// The exit codes of a session that could not begin, and of one whose client is lost; see qmail-smtpd(8).
    package static var unableToServe: Int32 { 111 }
    package static var lost: Int32 { 1 }

    /// Set up what every session needs of its process.
    package static func prepare() throws(Errno) {
        // A client that has gone is seen as an error of write(2).
        Signal.brokenPipe.ignore()
        try Process.fillStandardDescriptors()
    }

    /// Put a line about what went wrong before there was a session into the log, descriptor 2.
    package static func log(_ trouble: [UInt8], _ environment: Environment) {
        let log = SessionLog(
            FileDescriptor(adopting: 2), peer: SessionSettings.Peer(environment).address)
        log.trouble(trouble)
        log.release()
    }

    /// Serve the client at the other end of a stream and come back with the exit code.
    ///
    /// - Parameters:
    ///   - stream: The connection.
    ///   - opening: How the session begins.
    ///   - checkpassword: The program that checks passwords, and its arguments; empty: none.
    ///   - tlsProgram: The program that STARTTLS is handed to, with its arguments; empty: none.
    ///   - environment: The connection's variables.
    /// - Returns: The exit code.
    /// - Throws: When the session cannot begin.
    package static func serve<Stream: ByteStream & ~Copyable>(
        _ stream: consuming Stream, _ opening: SessionOpening, checkpassword: [[UInt8]],
        tlsProgram: [[UInt8]], _ environment: Environment
    ) throws(Errno) -> Int32 {
        let instance = Instance.current(environment)
        let control = Control(
            directory: instance.control, image: ControlImage(environment, of: instance.control))
        let termination = try Signal.queue([.terminate])
        let peer = SessionSettings.Peer(environment)
        var log = SessionLog(FileDescriptor(adopting: 2), peer: peer.address)
        log.proxy = environment.proxy ?? []
        var settings: SessionSettings
        let hosts: RecipientHosts
        do throws(ControlFailure) {
            settings = try SessionSettings(control, environment)
            try settings.setAuthentication(control, environment, command: checkpassword)
            hosts = try RecipientHosts(control, ownName: settings.dialogue.name)
        } catch {
            log.trouble(error.text)
            let reply = Reply(421, "4.3.5", "mail server cannot read its settings, try again later")
            try stream.write(reply.encoded, until: Deadline(milliseconds: 10_000))
            stream.finish()
            return unableToServe
        }
        var session = Session(
            stream, settings, environment,
            queueProgram: environment["QMAILQUEUE"] ?? instance.qmailQueue, hosts: hosts, log: log,
            termination: termination)
        session.tlsProgram = tlsProgram
        return switch session.run(opening) {
        case .quit: 0
        case .lost: lost
        }
    }
}
