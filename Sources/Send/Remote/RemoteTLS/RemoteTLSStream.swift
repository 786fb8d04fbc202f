import ByteText
import COpenSSL
public import Posix
import RemoteDelivery

/// A connection under TLS, as its client; see ssl(7).
///
/// Public only because Embedded Swift does not find the deinit of a `package` type from another module.
@frozen public struct RemoteTLSStream: ~Copyable {
    private let raw: OpaquePointer
    private let socket: FileDescriptor
    /// Why the connection cannot be used any more, in OpenSSL's words.
    package private(set) var trouble: [UInt8]?
    /// After an error nothing may be said any more; see SSL_shutdown(3).
    private var isBroken = false

    deinit { SSL_free(raw) }

    /// Own a connected socket that does not wait; nil when OpenSSL cannot use it.
    ///
    /// A server with a name is told by which one it was found, RFC 6066 §3; an address in brackets is no name.
    package init?(
        _ context: borrowing RemoteTLSContext, _ socket: consuming FileDescriptor, name: [UInt8]
    ) {
        guard let raw = SSL_new(context.raw) else { return nil }
        let isName = name.first != UInt8(ascii: "[") && name.contains { $0.isLetter }
        guard SSL_set_fd(raw, socket.rawValue) == 1,
            !isName || withCString(name, { copenssl_set_server_name(raw, $0) }) == 1
        else {
            SSL_free(raw)
            return nil
        }
        self.raw = raw
        self.socket = socket
    }

    /// Do the client's part of the handshake; see SSL_connect(3).
    ///
    /// - Throws: When the server is gone or cannot be agreed with.
    package mutating func shakeHands(until deadline: Deadline) throws(Errno) {
        while true {
            ERR_clear_error()
            let result = SSL_connect(raw)
            if result == 1 { return }
            try wait(after: result, until: deadline)
        }
    }

    /// The version that the handshake came to, for instance TLSv1.3.
    package var version: [UInt8] { SSL_get_version(raw).map { [UInt8](cString: $0) } ?? [] }

    /// Wait for what the call that just returned needs to go on; see SSL_get_error(3).
    private mutating func wait(after result: Int32, until deadline: Deadline) throws(Errno) {
        let system = Errno.last
        let interest: Polling.Interest
        switch SSL_get_error(raw, result) {
        case SSL_ERROR_WANT_READ: interest = .readable
        case SSL_ERROR_WANT_WRITE: interest = .writable
        case SSL_ERROR_SYSCALL:
            isBroken = true
            throw system.rawValue == 0 ? .connectionReset : system
        default:
            isBroken = true
            throw note()
        }
        // A server that dribbles is not waited for again and again.
        if deadline.hasPassed { throw .timedOut }
        guard try Polling.wait(for: socket.rawValue, interest, until: deadline) else {
            throw .timedOut
        }
    }

    /// Keep what OpenSSL says about the call that failed, and give the reason that stands for it.
    private mutating func note() -> Errno {
        let code = ERR_get_error()
        ERR_clear_error()
        if copenssl_is_end_of_file(code) != 0 { return .connectionReset }
        trouble = ERR_reason_error_string(code).map { [UInt8](cString: $0) } ?? [UInt8]("TLS")
        return .protocolError
    }
}

extension RemoteTLSStream: RemoteStream {
    /// Read once; see SSL_read(3).
    ///
    /// An end without close_notify, which anyone on the way can make, is not an end but
    /// `Errno.connectionReset`.
    package mutating func read(
        into buffer: inout [UInt8], until deadline: Deadline
    ) throws(Errno) -> Int {
        while true {
            ERR_clear_error()
            let raw = raw
            var span = buffer.mutableSpan
            let count = span.withUnsafeMutableBytes {
                SSL_read(raw, $0.baseAddress, Int32(clamping: $0.count))
            }
            if count > 0 { return Int(count) }
            if SSL_get_error(raw, count) == SSL_ERROR_ZERO_RETURN { return 0 }
            try wait(after: count, until: deadline)
        }
    }

    /// Write all of it; see SSL_write(3).
    package mutating func write(_ bytes: [UInt8], until deadline: Deadline) throws(Errno) {
        var done = 0
        while done < bytes.count {
            ERR_clear_error()
            let raw = raw
            let count = bytes.span.extracting(done...).withUnsafeBytes {
                SSL_write(raw, $0.baseAddress, Int32(clamping: $0.count))
            }
            if count > 0 {
                done += Int(count)
            } else {
                try wait(after: count, until: deadline)
            }
        }
    }

    /// Send close_notify if that can be done at once; see SSL_shutdown(3).
    package mutating func finish() {
        if isBroken { return }
        ERR_clear_error()
        // Whether the server says so, too, does not matter: SMTP has its own end.
        _ = SSL_shutdown(raw)
    }
}
