import ByteText
import COpenSSL

/// What a client brings to its handshakes; see SSL_CTX_new(3).
///
/// No certificate is verified: TLS with anybody is better than clear text, which is what there would be instead;
/// RFC 7435. For the same reason old ciphers would be better than none, but not old versions, RFC 8996.
///
/// Public only because Embedded Swift does not find the deinit of a `package` type from another module.
@frozen public struct RemoteTLSContext: ~Copyable {
    let raw: OpaquePointer

    deinit { SSL_CTX_free(raw) }

    /// A context; nil when OpenSSL gives none.
    package init?() {
        // The machine's openssl.cnf is not read: it costs each delivery time, and might be for other programs.
        guard OPENSSL_init_ssl(UInt64(OPENSSL_INIT_NO_LOAD_CONFIG), nil) == 1,
            let raw = SSL_CTX_new(TLS_client_method())
        else { return nil }
        SSL_CTX_set_options(raw, copenssl_options())
        SSL_CTX_set_verify(raw, SSL_VERIFY_NONE, nil)
        copenssl_set_session_cache(raw, Int(SSL_SESS_CACHE_OFF))
        copenssl_set_mode(
            raw, Int(SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER))
        copenssl_read_ahead(raw)
        guard copenssl_set_minimum_version(raw, TLS1_2_VERSION) == 1 else {
            SSL_CTX_free(raw)
            return nil
        }
        self.raw = raw
    }
}
