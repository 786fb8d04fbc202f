import ByteText
import Posix

/// The thread of a fake name server.
final class NameService: Sendable {
    private let datagrams: FileDescriptor
    private let listener: FileDescriptor
    private let end: FileDescriptor
    private let table: [String: FakeNameServer.Answer]
    /// An unnamed file with a question a line: the test and the thread need no lock for it.
    private let asked: FileDescriptor

    init(
        _ datagrams: consuming FileDescriptor, _ listener: consuming FileDescriptor,
        _ end: consuming FileDescriptor, _ table: [String: FakeNameServer.Answer]
    ) throws(Errno) {
        self.datagrams = datagrams
        self.listener = listener
        self.end = end
        self.table = table
        let path = Array("/tmp/name-service.".utf8) + uniqueName()
        asked = try FileDescriptor.open(path, .createNew, permissions: 0o600)
        try Files.unlink(path)
    }

    /// The questions so far.
    func questions() throws(Errno) -> [String] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = try asked.read(into: &buffer, at: all.count)
            if count == 0 { return all.lines.map { String(decoding: $0, as: UTF8.self) } }
            all += buffer[..<count]
        }
    }

    func run() {
        do throws(Errno) {
            while true {
                let ready = try Polling.waitForAny(
                    [
                        (end.rawValue, .readable), (datagrams.rawValue, .readable),
                        (listener.rawValue, .readable),
                    ], until: nil)
                switch ready {
                case 1: try answerDatagram()
                case 2: answerStream()
                default: return
                }
            }
        } catch {
            // The test sees that nothing answers.
        }
    }

    private func answerDatagram() throws(Errno) {
        var sender: SocketAddress?
        let message = try datagrams.receiveDatagram(limit: 512, from: &sender)
        guard let sender else { return }
        for reply in try replies(to: message, overTCP: false) {
            // The client may have left; then the kernel says so to the next who sends.
            do throws(Errno) { try datagrams.sendDatagram(reply, to: sender) } catch { continue }
        }
    }

    private func answerStream() {
        do throws(Errno) {
            let peer = try listener.accept(until: Deadline(milliseconds: 1000))
            let head = try read(2, peer)
            let message = try read(Int(head[0]) << 8 | Int(head[1]), peer)
            for reply in try replies(to: message, overTCP: true) {
                let length = UInt16(truncatingIfNeeded: reply.count)
                try peer.write([UInt8(length >> 8), UInt8(length & 255)] + reply)
            }
        } catch {
            // The client has left.
        }
    }

    private func read(
        _ count: Int, _ peer: borrowing FileDescriptor
    ) throws(Errno) -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            var buffer = [UInt8](repeating: 0, count: count - all.count)
            let came = try peer.read(into: &buffer)
            if came == 0 { throw .connectionReset }
            all += buffer[..<came]
        }
        return all
    }

    private func replies(to message: [UInt8], overTCP: Bool) throws(Errno) -> [[UInt8]] {
        guard message.count > 16, let end = message[12...].firstIndex(of: 0) else { return [] }
        let type = UInt16(message[end + 1]) << 8 | UInt16(message[end + 2])
        let names: [UInt16: String] = [
            1: "A", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA",
        ]
        var name: [String] = []
        var next = 12
        while next < end {
            let label = message[(next + 1)..<min(end, next + 1 + Int(message[next]))]
            name.append(String(decoding: label, as: UTF8.self).lowercased())
            next += 1 + Int(message[next])
        }
        let question = (names[type] ?? "\(type)") + " " + name.joined(separator: ".")
        try asked.write(Array((question + (overTCP ? " over TCP\n" : "\n")).utf8))
        return replies(table[question] ?? .noSuchName, to: message, overTCP)
    }

    private func replies(
        _ answer: FakeNameServer.Answer, to message: [UInt8], _ overTCP: Bool
    ) -> [[UInt8]] {
        switch answer {
        case .records(let records): return [reply(message, records)]
        case .noData: return [reply(message, [])]
        case .noSuchName: return [reply(message, [], code: 3)]
        case .code(let code): return [reply(message, [], code: code)]
        case .silence: return []
        case .late(let milliseconds, let answer):
            Clock.sleep(milliseconds: milliseconds)
            return replies(answer, to: message, overTCP)
        case .truncated(let answer):
            if overTCP { return replies(answer, to: message, true) }
            var reply = reply(message, [])
            reply[2] |= 2
            return [reply]
        case .garbage: return [Array("this is no message".utf8)]
        case .misled(let answer):
            return wrongIDs(message) + [[]] + replies(answer, to: message, overTCP)
        case .malformed:
            return [Array(reply(message, [.a("127.0.0.2")]).dropLast(2))]
        case .wrongID: return wrongIDs(message)
        }
    }

    private func wrongIDs(_ message: [UInt8]) -> [[UInt8]] {
        var wrong = reply(message, [.a("127.0.0.2")])
        wrong[0] ^= 0x55
        return [wrong]
    }

    private func reply(
        _ message: [UInt8], _ records: [FakeNameServer.Record], code: UInt8 = 0
    ) -> [UInt8] {
        var reply = message
        reply[2] = 0x81
        reply[3] = 0x80 | code
        reply[7] = UInt8(truncatingIfNeeded: records.count)
        for record in records {
            // A pointer to the question's name.
            reply += record.owner.map { wireName($0) } ?? [0xC0, 12]
            reply += [UInt8(record.type >> 8), UInt8(record.type & 255), 0, 1, 0, 0, 0, 60]
            let length = UInt16(truncatingIfNeeded: record.data.count)
            reply += [UInt8(length >> 8), UInt8(length & 255)] + record.data
        }
        return reply
    }
}
