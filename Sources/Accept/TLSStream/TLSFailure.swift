import ByteText
import COpenSSL
package import ControlFiles
package import Posix

/// Why there is no TLS, or no more of it.
package enum TLSFailure: Error {
    /// A control file that TLS needs could not be read.
    case control(ControlFailure)
    /// The certificate, or one of its chain, cannot be used.
    case certificate(path: [UInt8], reason: [UInt8])
    /// The key cannot be used, or is not the certificate's.
    case key(path: [UInt8], reason: [UInt8])
    /// control/tlsciphers names nothing that OpenSSL has.
    case ciphers(reason: [UInt8])
    /// OpenSSL did not begin.
    case library(reason: [UInt8])
    /// The client and this server did not come to terms.
    case handshake(reason: [UInt8])
    /// The client was not there to the handshake's end.
    case connection(Errno)

    /// What to log.
    package var text: [UInt8] {
        switch self {
        case .control(let failure): failure.text
        case .certificate(let path, let reason):
            [UInt8]("unable to use the certificate in ") + path + [UInt8](": ") + reason
        case .key(let path, let reason):
            [UInt8]("unable to use the key in ") + path + [UInt8](": ") + reason
        case .ciphers(let reason): [UInt8]("unable to use control/tlsciphers: ") + reason
        case .library(let reason): [UInt8]("unable to set TLS up: ") + reason
        case .handshake(let reason): [UInt8]("TLS handshake failed: ") + reason
        case .connection(let reason): [UInt8]("TLS handshake broken off: ") + reason.text
        }
    }
}

/// What OpenSSL noted about the call that just failed; see ERR_get_error(3).
struct OpenSSLReason {
    let text: [UInt8]
    /// Whether the other side closed the connection without a word.
    let isEndOfFile: Bool

    /// The first note, which has the cause; the rest is dropped.
    init() {
        let code = ERR_get_error()
        isEndOfFile = copenssl_is_end_of_file(code) != 0
        let system = copenssl_system_error(code)
        if system != 0 {
            text = Errno(rawValue: system).text
        } else if copenssl_is_undecodable(code) != 0 {
            // OpenSSL only says that it is unsupported.
            text = [UInt8]("nothing in it can be read without a pass phrase")
        } else if let words = ERR_reason_error_string(code) {
            text = [UInt8](cString: words)
        } else {
            text = [UInt8]("OpenSSL error ") + [UInt8](decimal: Int(clamping: code))
        }
        ERR_clear_error()
    }
}
