import ByteText
import ControlFiles
import Posix
import SMTPGrammar

// The session's part of STARTTLS, RFC 3207: this program is replaced by the one that has TLS, qmail-smtpd-tls(8).

extension SessionSettings {
    /// Offer STARTTLS when there is a certificate and NOTLS does not say otherwise; whether it can be used is for the program to see that has TLS.
    mutating func setTLS(_ control: Control, _ environment: Environment) {
        dialogue.requiresTLS = !(environment["FORCE_TLS"] ?? []).isEmpty
        if !(environment["NOTLS"] ?? []).isEmpty { return }
        dialogue.offersTLS = control.has("servercert.pem")
    }
}

extension Session where Stream: ~Copyable {
    /// Become the program that answers STARTTLS; when there is none, say so and go on in clear text.
    mutating func startTLS() throws(Errno) {
        // RFC 2920 §3.1 allows commands before it in the same piece.
        try flush()
        let request = TLSRequest(client: dialogue.clientName, isExtended: dialogue.isExtended)
        var environment = environment
        environment.set(TLSRequest.variable, request.text)
        if let path = tlsProgram.first {
            let reason = Process.execute(path, arguments: tlsProgram, environment: environment)
            log.trouble([UInt8]("unable to run ") + path + [UInt8](": ") + reason.text)
        }
        try resumeWithoutTLS(request)
    }

    mutating func resumeWithoutTLS(_ request: TLSRequest) throws(Errno) {
        dialogue.resumeWithoutTLS(client: request.client, isExtended: request.isExtended)
        try send(Reply(454, "4.7.0", "TLS is not available at the moment"))
    }
}
