import AdminReport
import Posix

/// The client's side of one SMTP session without extensions, TLS or AUTH.
struct SMTPClient: ~Copyable {
    private let socket: FileDescriptor
    private let deadline: Deadline
    private var received: [UInt8] = []

    /// The most bytes of a reply.
    private static let replyLimit = 1 << 16

    /// Connect; the greeting is the first reply.
    init(
        to server: SocketAddress, _ place: String, until deadline: Deadline
    ) throws(SMTPFailure) {
        self.deadline = deadline
        do throws(Errno) {
            socket = try FileDescriptor.connect(to: server, until: deadline)
        } catch {
            let reason = String(printable: error.text)
            throw .unreachable(
                error == .connectionRefused
                    ? "nobody listens on \(place) (\(reason))"
                    : "unable to connect to \(place): \(reason)")
        }
    }

    /// The reply to a command, which is sent with its line end.
    mutating func ask(_ command: String) throws(SMTPFailure) -> SMTPReply {
        try send(Array(command.utf8) + [13, 10])
        return try reply()
    }

    /// The next reply.
    mutating func reply() throws(SMTPFailure) -> SMTPReply {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            if let reply = try SMTPReply.take(from: &received) { return reply }
            guard received.count < Self.replyLimit else {
                throw .malformed("more than \(Self.replyLimit) bytes")
            }
            do throws(Errno) {
                guard try Polling.wait(for: socket.rawValue, .readable, until: deadline) else {
                    throw .timedOut
                }
                let count = try socket.read(into: &buffer)
                if count == 0 { throw .connectionReset }
                received += buffer[..<count]
            } catch {
                throw error == .timedOut ? .late : .ended
            }
        }
    }

    /// Send bytes as they are.
    func send(_ bytes: [UInt8]) throws(SMTPFailure) {
        var sent = 0
        while sent < bytes.count {
            do throws(Errno) {
                sent += try socket.send(bytes, sent..<bytes.count)
            } catch {
                // Whoever hung up may have said why: the reply tells.
                guard error == .wouldBlock else { return }
                try waitUntilWritable()
            }
        }
    }

    private func waitUntilWritable() throws(SMTPFailure) {
        do throws(Errno) {
            let ready = try Polling.wait(for: socket.rawValue, .writable, until: deadline)
            if ready { return }
        } catch {
            throw .ended
        }
        throw .late
    }
}
