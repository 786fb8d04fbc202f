import ByteText
package import CommandLine
import ControlFiles
package import Posix
import SMTPSession

/// The program qmail-smtpd-tls.
package enum TLSServer {
    /// Milliseconds that a client has for the handshake, when timeoutsmtpd does not give it less.
    private static var patience: Int { 60_000 }

    /// Serve the client on descriptors 0 and 1 under TLS and come back with the exit code; see qmail-smtpd-tls(8).
    ///
    /// TLS begins at once, or after the reply to STARTTLS that another program has read.
    package static func run(
        _ program: Program, _ arguments: [[UInt8]], _ environment: Environment
    ) -> Int32 {
        let command = Array(arguments.dropFirst())
        if command.first?.first == UInt8(ascii: "-") { return program.misused() }
        let request = TLSRequest(environment)
        var environment = environment
        environment.set(TLSRequest.variable, nil)
        do throws(Errno) {
            try SMTPServer.prepare()
            return try serve(request, checkpassword: command, environment)
        } catch {
            return SMTPServer.unableToServe
        }
    }

    private static func serve(
        _ request: TLSRequest?, checkpassword: [[UInt8]], _ environment: Environment
    ) throws(Errno) -> Int32 {
        let control = Control(of: Instance.current(environment))
        let context: TLSContext
        do throws(TLSFailure) { context = try TLSContext(control) } catch {
            SMTPServer.log(error.text, environment)
            guard let request else { return SMTPServer.unableToServe }
            // Nothing of the handshake has been said yet: the client can still go on without.
            let stream = try DescriptorStream(
                input: FileDescriptor(adopting: 0), output: FileDescriptor(adopting: 1))
            return try SMTPServer.serve(
                stream, .refusedTLS(request), checkpassword: checkpassword, tlsProgram: [],
                environment)
        }
        if context.isExpired { SMTPServer.log([UInt8]("the certificate has expired"), environment) }
        if request != nil,
            !FileDescriptor.tell([UInt8]("220 2.0.0 ready to start TLS\r\n"), on: 1)
        {
            return SMTPServer.lost
        }
        // What ends a session ends the handshake, too.
        let termination = try Signal.queue([.terminate])
        let stream: TLSStream
        do throws(TLSFailure) {
            stream = try TLSStream.accept(
                context, input: FileDescriptor(adopting: 0), output: FileDescriptor(adopting: 1),
                until: Deadline(milliseconds: patience(control)), unless: termination.rawValue)
        } catch {
            SMTPServer.log(error.text, environment)
            return SMTPServer.lost
        }
        return try SMTPServer.serve(
            stream, request == nil ? .greeting : .afterHandshake, checkpassword: checkpassword,
            tlsProgram: [], environment)
    }

    private static func patience(_ control: Control) -> Int {
        do throws(ControlFailure) {
            let seconds = try control.number("timeoutsmtpd") ?? patience
            return min(max(seconds, 1), patience / 1000) * 1000
        } catch {
            // The session itself will say what is wrong with its settings.
            return patience
        }
    }
}
