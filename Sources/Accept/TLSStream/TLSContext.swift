import ByteText
import COpenSSL
package import ControlFiles
import Posix

/// What a server brings to its handshakes: certificate, key, versions and ciphers; see SSL_CTX_new(3).
///
/// Public only because Embedded Swift does not find the deinit of a `package` type from another module.
@frozen public struct TLSContext: ~Copyable {
    let raw: OpaquePointer

    deinit { SSL_CTX_free(raw) }

    /// For TLS 1.2: always forward secrecy, by elliptic curves, for those of a prime field let clients make a server
    /// work; CBC comes last, for senders that would send in clear text otherwise.
    private static var ciphers: StaticString { "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES" }
    private static var groups: StaticString { "X25519:P-256:P-384:P-521" }

    /// Read the certificate, the key and the ciphers; see qmail-control(5).
    ///
    /// - Throws: When one of them cannot be used.
    package init(_ control: Control) throws(TLSFailure) {
        let raw = try Self.new()
        do throws(TLSFailure) {
            try Self.setRules(raw)
            try Self.setCiphers(raw, control)
            try Self.load(raw, control)
        } catch {
            SSL_CTX_free(raw)
            throw error
        }
        self.raw = raw
    }

    private static func new() throws(TLSFailure) -> OpaquePointer {
        // The machine's openssl.cnf is not read: versions and ciphers are said here, and it costs each session time.
        guard OPENSSL_init_ssl(UInt64(OPENSSL_INIT_NO_LOAD_CONFIG), nil) == 1,
            let raw = SSL_CTX_new(TLS_server_method())
        else { throw .library(reason: OpenSSLReason().text) }
        return raw
    }

    private static func setRules(_ raw: OpaquePointer) throws(TLSFailure) {
        // Each session is a process of its own, so that no other could read its tickets or cache.
        SSL_CTX_set_options(raw, copenssl_options())
        SSL_CTX_set_num_tickets(raw, 0)
        copenssl_set_session_cache(raw, Int(SSL_SESS_CACHE_OFF))
        copenssl_set_mode(
            raw, Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
        copenssl_read_ahead(raw)
        copenssl_ask_no_pass_phrase(raw)
        guard copenssl_set_minimum_version(raw, TLS1_2_VERSION) == 1,
            withCString([UInt8](groups), { copenssl_set_groups(raw, $0) }) == 1
        else { throw .library(reason: OpenSSLReason().text) }
    }

    private static func setCiphers(
        _ raw: OpaquePointer, _ control: Control
    ) throws(TLSFailure) {
        let line: [UInt8]?
        do throws(ControlFailure) { line = try control.line("tlsciphers") } catch {
            throw .control(error)
        }
        var list: [UInt8] = []
        var suites: [UInt8] = []
        for name in (line ?? []).split(separator: UInt8(ascii: ":")) {
            // OpenSSL has those of TLS 1.3 in a list of their own; no other name begins so.
            if name.starts(with: [UInt8]("TLS_")) {
                suites.append(contentsOf: name + [UInt8(ascii: ":")])
            } else {
                list.append(contentsOf: name + [UInt8(ascii: ":")])
            }
        }
        if list.isEmpty { list = [UInt8](ciphers) }
        guard withCString(list, { SSL_CTX_set_cipher_list(raw, $0) }) == 1,
            suites.isEmpty || withCString(suites, { SSL_CTX_set_ciphersuites(raw, $0) }) == 1
        else { throw .ciphers(reason: OpenSSLReason().text) }
    }

    private static func load(_ raw: OpaquePointer, _ control: Control) throws(TLSFailure) {
        let certificate = control.file("servercert.pem")
        guard withCString(certificate, { SSL_CTX_use_certificate_chain_file(raw, $0) }) == 1 else {
            throw .certificate(path: certificate, reason: OpenSSLReason().text)
        }
        var key = control.file("serverkey.pem")
        do throws(Errno) { _ = try FileStatus(of: key) } catch {
            if error == .noSuchFile { key = certificate }
        }
        guard withCString(key, { SSL_CTX_use_PrivateKey_file(raw, $0, SSL_FILETYPE_PEM) }) == 1,
            SSL_CTX_check_private_key(raw) == 1
        else { throw .key(path: key, reason: OpenSSLReason().text) }
    }

    /// Whether the certificate's time is over; clients that verify it will not come.
    package var isExpired: Bool {
        guard let certificate = SSL_CTX_get0_certificate(raw) else { return false }
        return X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0
    }
}
