import Posix
import Testbed

extension ScriptedServer {
    /// The program that STARTTLS is handed to, in this server's folder.
    func installTLS() throws {
        try shell(
            """
            mkdir -p '\(root)/usr/lib/qhpsi'
            ln -sf '\(PrivateInstance.builtRoot)/usr/lib/qhpsi/qmail-smtpd-tls' '\(root)/usr/lib/qhpsi/'
            """)
    }

    /// A server with the TLS program and a certificate of its own making.
    static func certified(_ name: String = "mx.test.example") throws -> ScriptedServer {
        let server = try ScriptedServer()
        try server.installTLS()
        try server.certify(name)
        return server
    }

    /// Make a key and a certificate for the name, key first, and put both into servercert.pem in one step.
    ///
    /// With -1 days it has expired a day ago.
    func certify(_ name: String, days: Int = 30, keyOptions: String = "-nodes") throws {
        try shell(
            """
            cd '\(root)' && openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 \\
                \(keyOptions) -subj '/CN=\(name)' -keyout key.pem -out request.pem 2>openssl.log
            openssl x509 -req -in request.pem -signkey key.pem -passin pass:secret -days \(days) \\
                -out certificate.pem 2>>openssl.log || { cat openssl.log; exit 1; }
            cat key.pem certificate.pem >both.pem
            mv both.pem etc/qhpsi/control/servercert.pem
            """)
    }
}
