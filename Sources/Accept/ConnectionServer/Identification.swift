import ByteText
import Posix

/// Asks the client's machine whose connection it is; RFC 1413.
enum Identification {
    private static let port: UInt16 = 113
    /// The most bytes of a user.
    private static let limit = 256
    /// The most bytes of an answer; RFC 1413 §6 has lines of 1000.
    private static let readLimit = 4096

    /// The user, as the machine tells it; nil when it tells nothing in time.
    ///
    /// An answer that names no user is an empty one.
    static func user(_ sides: Sides, until deadline: Deadline) -> [UInt8]? {
        var question = [UInt8](decimal: sides.remote.port)
        question.append(" , ")
        question.append(decimal: sides.local.port)
        question.append("\r\n")
        guard let server = SocketAddress.internet(sides.remote.text, port: port),
            let own = SocketAddress.internet(sides.local.text, port: 0)
        else { return nil }
        do throws(Errno) {
            // The answer is about connections between these two addresses.
            let socket = try FileDescriptor.connect(to: server, from: own, until: deadline)
            var done = 0
            while done < question.count {
                guard try Polling.wait(for: socket.rawValue, .writable, until: deadline) else {
                    return nil
                }
                done += try socket.send(question, done..<question.count)
            }
            var answer = IdentificationAnswer()
            var buffer = [UInt8](repeating: 0, count: limit)
            var left = readLimit
            while left > 0, try Polling.wait(for: socket.rawValue, .readable, until: deadline) {
                let count = try socket.read(into: &buffer)
                if count == 0 { return nil }
                left -= count
                for byte in buffer.prefix(count)
                where answer.take(byte) || answer.user.count > limit {
                    return answer.user
                }
            }
            return nil
        } catch {
            return nil
        }
    }
}

/// The answer of RFC 1413 §4: two ports, a kind, a system and a user, with colons between.
struct IdentificationAnswer {
    private var colons = 0
    /// What stands after the third colon, without blanks.
    private(set) var user: [UInt8] = []

    /// Take the next byte; true at the end of the line.
    mutating func take(_ byte: UInt8) -> Bool {
        switch byte {
        // A NUL would end the variable before a rule's key ends.
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), 0: break
        case UInt8(ascii: "\n"): return true
        case UInt8(ascii: ":") where colons < 3: colons += 1
        default: if colons == 3 { user.append(byte) }
        }
        return false
    }
}
