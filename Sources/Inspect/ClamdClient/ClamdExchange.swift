import ByteText
import Posix
import ScanProtocol

/// One connection to clamd, for one message.
struct ClamdExchange: ~Copyable {
    /// How it ended.
    enum Ending {
        case answered(Verdict)
        /// clamd says that it cannot take a descriptor, or not this one, and in which words; a failed scan.
        case refused([UInt8], Verdict)
        /// There was no connection.
        case absent(Errno)
        /// clamd went away without a word.
        case lost
        /// The time was over.
        case silent
        /// The message's own file has trouble.
        case unreadable(Errno)
    }

    private let socket: FileDescriptor
    private let deadline: Deadline

    /// The bytes of a chunk of INSTREAM.
    private static let chunkSize = 65536

    init(_ socket: consuming FileDescriptor, until deadline: Deadline) {
        self.socket = socket
        self.deadline = deadline
    }

    /// Send the message's bytes with INSTREAM and read the answer.
    func stream(_ message: borrowing FileDescriptor) -> Ending {
        var buffer = [UInt8]("zINSTREAM\0")
        var length = buffer.count
        let room: Int
        do throws(Errno) {
            // Short messages are the rule: one byte more than theirs shows their end.
            room = min(Self.chunkSize, try message.status().size + 1)
        } catch {
            return .unreadable(error)
        }
        // The command, a chunk with its length before it, and the last chunk, which is empty.
        buffer += [UInt8](repeating: 0, count: 4 + room + 4)
        var offset = 0
        while true {
            let start = length + 4
            let count: Int
            do throws(Errno) {
                count = try fill(&buffer, start..<start + room, from: message, at: offset)
            } catch {
                return .unreadable(error)
            }
            if count > 0 {
                buffer.put(UInt32(count), at: length)
                length = start + count
                offset += count
            }
            let isLast = count < room
            if isLast {
                buffer.put(0, at: length)
                length += 4
                if hasSpoken { return answer(on: .stream, early: true) }
            }
            switch send(buffer, length) {
            case .all: length = 0
            case .interrupted: return answer(on: .stream, early: true)
            case .late: return .silent
            }
            if isLast { return answer(on: .stream, early: false) }
        }
    }

    /// Read until the range is full or the message is at its end.
    private func fill(
        _ buffer: inout [UInt8], _ range: Range<Int>, from message: borrowing FileDescriptor,
        at offset: Int
    ) throws(Errno) -> Int {
        var filled = 0
        while filled < range.count {
            let count = try message.read(
                into: &buffer, range.lowerBound + filled..<range.upperBound, at: offset + filled)
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// Send the message's descriptor with FILDES and read the answer.
    func pass(_ message: borrowing FileDescriptor) -> Ending {
        let command = [UInt8]("zFILDES\0")
        switch send(command, command.count) {
        case .all: break
        case .interrupted: return answer(on: .descriptor, early: true)
        case .late: return .silent
        }
        if hasSpoken { return answer(on: .descriptor, early: true) }
        do throws(Errno) {
            // A new connection has room for this byte: no wait is needed.
            try socket.send(descriptor: message)
        } catch {
            return answer(on: .descriptor, early: true)
        }
        return answer(on: .descriptor, early: false)
    }

    private enum Progress {
        case all
        /// clamd has said something or hung up.
        case interrupted
        case late
    }

    private func send(_ buffer: [UInt8], _ length: Int) -> Progress {
        var sent = 0
        while sent < length {
            do throws(Errno) {
                sent += try socket.send(buffer, sent..<length)
            } catch {
                guard error == .wouldBlock else { return .interrupted }
                do throws(Errno) {
                    let ready = try Polling.waitForAny(
                        [(socket.rawValue, .readable), (socket.rawValue, .writable)],
                        until: deadline)
                    guard let ready else { return .late }
                    if ready == 0 { return .interrupted }
                } catch {
                    return .interrupted
                }
            }
        }
        return .all
    }

    /// Whether clamd has said something or hung up.
    private var hasSpoken: Bool {
        do throws(Errno) {
            return try Polling.wait(
                for: socket.rawValue, .readable, until: Deadline(milliseconds: 0))
        } catch {
            return true  // Reading will say what is wrong.
        }
    }

    /// Read what clamd says until it closes the connection.
    private func answer(on subject: ClamdReply.Subject, early: Bool) -> Ending {
        var reply: [UInt8] = []
        var early = early
        var buffer = [UInt8](repeating: 0, count: ClamdReply.sizeLimit + 1)
        do throws(Errno) {
            // No more is coming: a peer that still reads need not wait for it.
            if early { try socket.endSending() }
            while reply.count <= ClamdReply.sizeLimit {
                guard try Polling.wait(for: socket.rawValue, .readable, until: deadline) else {
                    return .silent
                }
                let count = try socket.read(into: &buffer)
                if count == 0 { break }
                if reply.isEmpty, try socket.bytesUnreadByPeer() > 0 { early = true }
                reply.append(contentsOf: buffer[..<count])
            }
        } catch {
            // A reset instead of an end: clamd has left bytes of ours unread.
            early = true
        }
        if reply.isEmpty { return .lost }
        let verdict = ClamdReply.verdict(reply, on: subject, early: early)
        if subject == .descriptor, let words = ClamdReply.refusal(reply) {
            return .refused(words, verdict)
        }
        return .answered(verdict)
    }
}

extension [UInt8] {
    /// Write a number in network byte order over four bytes, which must be there.
    fileprivate mutating func put(_ value: UInt32, at index: Int) {
        for i in 0..<4 {
            self[index + i] = UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32(i)))
        }
    }
}
