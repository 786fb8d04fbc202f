import Testbed

/// Python's smtplib: somebody else's client.
enum MailClient {
    /// Sends each file as it is, or as a base64 attachment; prints the reply to each message.
    private static let program = """
        import base64, os, smtplib, sys
        port, form, files = int(sys.argv[1]), sys.argv[2], sys.argv[3:]
        for name in files:
            data = open(name, 'rb').read()
            if form == 'plain':
                # smtplib sends bytes as they are.
                data = data.replace(b'\\r\\n', b'\\n').replace(b'\\n', b'\\r\\n')
            if form == 'attached':
                text = base64.encodebytes(data)
                data = (b'From: a@client.example\\r\\nTo: bob@test.example\\r\\nSubject: ' + os.path.basename(name).encode()
                    + b'\\r\\nMIME-Version: 1.0\\r\\nContent-Type: multipart/mixed; boundary=part\\r\\n\\r\\n--part\\r\\n'
                    + b'Content-Type: text/plain\\r\\n\\r\\nhello\\r\\n--part\\r\\nContent-Type: application/octet-stream\\r\\n'
                    + b'Content-Disposition: attachment; filename=file\\r\\nContent-Transfer-Encoding: base64\\r\\n\\r\\n'
                    + text.replace(b'\\n', b'\\r\\n') + b'\\r\\n--part--\\r\\n')
            s = smtplib.SMTP('127.0.0.1', port, timeout=60)
            s.ehlo('client.example')
            s.mail('alice@client.example')
            s.rcpt('bob@test.example')
            code, text = s.data(data)
            print(code, text.decode(), flush=True)
            s.quit()
        """

    /// Send the files, one message and one connection each.
    ///
    /// - Returns: The replies to the messages, in order.
    static func send(
        _ files: [String], attached: Bool = false, to server: ListeningServer
    ) throws -> [String] {
        let outcome = try Command(
            "/usr/bin/python3.11",
            ["-c", program, "\(server.port)", attached ? "attached" : "plain"] + files
        ).run()
        guard outcome.code == 0 else { throw TestbedFailure(text: outcome.errors) }
        return outcome.output.split(separator: "\n").map(String.init)
    }
}

/// An instance with a server whose settings are given as variables.
struct MailServer {
    let instance: PrivateInstance
    let server: ListeningServer

    init(_ settings: [String: String]) throws {
        instance = try PrivateInstance()
        var command = instance.command("usr/sbin/qmail-smtpd")
        for (name, value) in settings { command.set(name, value) }
        server = try ListeningServer(command)
    }

    /// The log lines of messages.
    var log: [String] {
        get throws {
            try server.log.split(separator: "\n").map(String.init).filter {
                $0.contains(" outcome=")
            }
        }
    }
}
