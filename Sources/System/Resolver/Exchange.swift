import DNSMessage
import Posix

/// One question to one server, and what it says.
enum Exchange {
    /// The most bytes of an answer over UDP to a question that says nothing of more; RFC 1035 §4.2.1.
    ///
    /// Some servers send more all the same.
    private static let datagramLimit = 4096

    /// Ask over UDP; RFC 1035 §4.2.1.
    ///
    /// - Throws: `Errno.timedOut` when no answer came, or why the server cannot be reached.
    static func byDatagram(
        _ question: Question, _ server: SocketAddress, until deadline: Deadline
    ) throws(Errno) -> Question.Meaning {
        // The kernel chooses a port that nobody can guess, and takes datagrams of this server only.
        let socket = try FileDescriptor.datagrams(with: server)
        let message = question.encoded
        _ = try socket.send(message, 0..<message.count)
        while try Polling.wait(for: socket.rawValue, .readable, until: deadline) {
            var buffer = [UInt8](repeating: 0, count: datagramLimit)
            do throws(Errno) {
                let count = try socket.read(into: &buffer)
                let meaning = question.meaning(of: Array(buffer.prefix(count)))
                if meaning != .nothing { return meaning }
            } catch {
                // A datagram with a wrong checksum makes the socket readable and is then not there.
                if error != .wouldBlock { throw error }
            }
        }
        throw .timedOut
    }

    /// Ask over TCP, for an answer that does not fit a datagram; RFC 1035 §4.2.2.
    ///
    /// - Throws: `Errno.timedOut` when no answer came, or why the server cannot be reached.
    static func byStream(
        _ question: Question, _ server: SocketAddress, until deadline: Deadline
    ) throws(Errno) -> Question.Meaning {
        let socket = try FileDescriptor.connect(to: server, until: deadline)
        let message = question.encoded
        let length = UInt16(clamping: message.count)
        let framed = [UInt8(length >> 8), UInt8(length & 255)] + message
        // A new connection's buffer holds more than any question.
        guard try socket.send(framed, 0..<framed.count) == framed.count else { throw .wouldBlock }
        let head = try read(2, from: socket, until: deadline)
        let answer = try read(Int(head[0]) << 8 | Int(head[1]), from: socket, until: deadline)
        let meaning = question.meaning(of: answer)
        // On a connection nothing but the answer may come.
        return meaning == .nothing || meaning == .truncated ? .malformed : meaning
    }

    /// Exactly so many bytes.
    private static func read(
        _ count: Int, from socket: borrowing FileDescriptor, until deadline: Deadline
    ) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard try Polling.wait(for: socket.rawValue, .readable, until: deadline) else {
                throw .timedOut
            }
            var buffer = [UInt8](repeating: 0, count: count - bytes.count)
            let came: Int
            do throws(Errno) { came = try socket.read(into: &buffer) } catch {
                if error == .wouldBlock { continue }
                throw error
            }
            if came == 0 { throw .connectionReset }
            bytes.append(contentsOf: buffer.prefix(came))
        }
        return bytes
    }
}
