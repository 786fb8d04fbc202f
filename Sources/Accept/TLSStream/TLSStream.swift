import ByteText
import COpenSSL
public import Posix
package import SMTPSession

/// A connection under TLS, as its server; see ssl(7).
///
/// Public only because Embedded Swift does not find the deinit of a `package` type from another module.
@frozen public struct TLSStream: ~Copyable {
    private let raw: OpaquePointer
    private let input: FileDescriptor
    private let output: FileDescriptor
    /// Why the connection cannot be used any more, in OpenSSL's words.
    package private(set) var trouble: [UInt8]?
    /// After an error nothing may be said any more; see SSL_shutdown(3).
    private var isBroken = false

    deinit { SSL_free(raw) }

    /// Own both descriptors and do the server's part of the handshake; see SSL_accept(3).
    ///
    /// - Parameters:
    ///   - context: What the server brings to it.
    ///   - input: Where the client's bytes come from.
    ///   - output: Where the server's go to.
    ///   - deadline: When the handshake must be over.
    ///   - interruption: A descriptor that ends it when it becomes readable.
    /// - Returns: The connection.
    /// - Throws: When the client is gone or cannot be agreed with.
    package static func accept(
        _ context: borrowing TLSContext, input: consuming FileDescriptor,
        output: consuming FileDescriptor, until deadline: Deadline, unless interruption: Int32?
    ) throws(TLSFailure) -> TLSStream {
        var stream = try TLSStream(context, input: input, output: output)
        try stream.shakeHands(until: deadline, unless: interruption)
        return stream
    }

    private init(
        _ context: borrowing TLSContext, input: consuming FileDescriptor,
        output: consuming FileDescriptor
    ) throws(TLSFailure) {
        do throws(Errno) {
            try input.setNonBlocking(true)
            try output.setNonBlocking(true)
        } catch {
            throw .connection(error)
        }
        guard let raw = SSL_new(context.raw) else { throw .library(reason: OpenSSLReason().text) }
        guard SSL_set_rfd(raw, input.rawValue) == 1, SSL_set_wfd(raw, output.rawValue) == 1 else {
            SSL_free(raw)
            throw .library(reason: OpenSSLReason().text)
        }
        self.raw = raw
        self.input = input
        self.output = output
    }

    private mutating func shakeHands(
        until deadline: Deadline, unless interruption: Int32?
    ) throws(TLSFailure) {
        do throws(Errno) {
            while true {
                ERR_clear_error()
                let result = SSL_accept(raw)
                if result == 1 { return }
                try wait(after: result, until: deadline, unless: interruption)
            }
        } catch {
            if let trouble { throw .handshake(reason: trouble) }
            throw .connection(error)
        }
    }

    /// Wait for what the call that just returned needs to go on; see SSL_get_error(3).
    private mutating func wait(
        after result: Int32, until deadline: Deadline, unless interruption: Int32?
    ) throws(Errno) {
        let system = Errno.last
        var wanted: [(fd: Int32, interest: Polling.Interest)]
        switch SSL_get_error(raw, result) {
        case SSL_ERROR_WANT_READ: wanted = [(input.rawValue, .readable)]
        case SSL_ERROR_WANT_WRITE: wanted = [(output.rawValue, .writable)]
        case SSL_ERROR_ZERO_RETURN: throw .connectionReset
        case SSL_ERROR_SYSCALL:
            isBroken = true
            throw system.rawValue == 0 ? .connectionReset : system
        default:
            isBroken = true
            let reason = OpenSSLReason()
            if reason.isEndOfFile { throw .connectionReset }
            trouble = reason.text
            throw .protocolError
        }
        // A client that dribbles is not waited for again and again.
        if deadline.hasPassed { throw .timedOut }
        if let interruption { wanted.insert((interruption, .readable), at: 0) }
        guard let ready = try Polling.waitForAny(wanted, until: deadline) else { throw .timedOut }
        if ready < wanted.count - 1 { throw .interrupted }
    }
}

extension TLSStream: ByteStream {
    /// The version and cipher that the handshake came to.
    package var encryption: Encryption? {
        let cipher = SSL_get_current_cipher(raw)
        return Encryption(
            version: SSL_get_version(raw).map { [UInt8](cString: $0) } ?? [],
            cipher: SSL_CIPHER_get_name(cipher).map { [UInt8](cString: $0) } ?? [],
            keyLength: Int(SSL_CIPHER_get_bits(cipher, nil)))
    }

    /// Read once; see SSL_read(3).
    ///
    /// What OpenSSL has already is given before anything is waited for. An end without close_notify, which
    /// anyone on the way can make, is not an end but `Errno.connectionReset`.
    package mutating func read(
        into buffer: inout [UInt8], until deadline: Deadline, unless interruption: Int32?
    ) throws(Errno) -> Int {
        while true {
            // A client that never stops talking is interrupted, too.
            if let interruption,
                try Polling.wait(
                    for: interruption, .readable, until: Deadline(milliseconds: 0))
            {
                throw .interrupted
            }
            ERR_clear_error()
            let raw = raw
            var span = buffer.mutableSpan
            let count = span.withUnsafeMutableBytes {
                SSL_read(raw, $0.baseAddress, Int32(clamping: $0.count))
            }
            if count > 0 { return Int(count) }
            if SSL_get_error(raw, count) == SSL_ERROR_ZERO_RETURN { return 0 }
            try wait(after: count, until: deadline, unless: interruption)
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
                try wait(after: count, until: deadline, unless: nil)
            }
        }
    }

    /// Send close_notify if that can be done at once; see SSL_shutdown(3).
    package mutating func finish() {
        if isBroken { return }
        ERR_clear_error()
        // Whether the client says so, too, does not matter: SMTP has its own end.
        _ = SSL_shutdown(raw)
    }
}
