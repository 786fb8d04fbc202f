import AdminReport
import ByteText
package import ControlFiles
import Envelope
import Posix
import QueueStore

/// A message of the self-test as it lies, or has lain, in a queue, with what the scanner said.
package struct StoredVerdict: Equatable, Sendable {
    /// Queue and id, for instance `queue1/5390873`.
    package let place: String
    /// Whether it has left the queue meanwhile, so that the server's log had to tell.
    package let isDelivered: Bool
    /// The value of `X-QHPSI`; nil when that field does not stand directly below the first `Received:`.
    package let verdict: String?
    package let signature: String?
    /// Whether its recipients are in `X-Quarantine-ID` because VIRUSFORWARD sent it elsewhere.
    package let isForwarded: Bool

    /// What became of the look into the queues.
    package enum Search: Equatable, Sendable {
        case found(StoredVerdict)
        /// It is in none: discarded, or delivered already.
        case gone
        /// A queue cannot be read.
        case closed
    }

    /// The bytes of a message in which its header must stand.
    private static let headLimit = 1 << 16

    /// Look for a message.
    ///
    /// - Parameters:
    ///   - id: Its number, as the reply to DATA says.
    ///   - token: What it must have in its header, for numbers are used again.
    ///   - instance: Whose queues.
    /// - Returns: What was found.
    package static func find(
        id: UInt64, token: String, in instance: Instance
    ) -> Search {
        var isClosed = false
        do throws(Errno) {
            for name in try Files.names(in: instance.spool) where name.starts(with: "queue") {
                let path = instance.spool + [UInt8(ascii: "/")] + name
                do throws(Errno) {
                    guard let queue = try queue(path) else { continue }
                    let head = try head(of: queue.file("mess", id))
                    guard String(decoding: head, as: UTF8.self).contains(token) else { continue }
                    return .found(StoredVerdict(place: queue.name, id: id, head: head))
                } catch {
                    if error != .noSuchFile { isClosed = true }
                }
            }
        } catch {
            return .closed
        }
        return isClosed ? .closed : .gone
    }

    /// The queue in a folder, nil when the folder is not a queue.
    private static func queue(_ path: [UInt8]) throws(Errno) -> QueueDirectory? {
        _ = try Files.names(in: path + [UInt8]("/mess"))
        do throws(QueueExit) { return try QueueDirectory(opening: path) } catch { return nil }
    }

    private static func head(of path: [UInt8]) throws(Errno) -> [UInt8] {
        guard let file = try FileDescriptor.openToRead(path, if: { $0.kind == .file }) else {
            return []
        }
        var buffer = [UInt8](repeating: 0, count: headLimit)
        let count = try file.read(into: &buffer)
        return Array(buffer.prefix(count))
    }

    init(deliveredFrom place: String, verdict: String, signature: String?, isForwarded: Bool) {
        self.place = place
        self.verdict = verdict
        self.signature = signature
        self.isForwarded = isForwarded
        isDelivered = true
    }

    init(place queue: [UInt8], id: UInt64, head: [UInt8]) {
        place = String(printable: queue) + "/\(id)"
        isDelivered = false
        var fields: [(name: String, value: String)] = []
        for line in head.lines {
            if line.first == 32 || line.first == 9 { continue }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { break }
            fields.append(
                (
                    String(printable: line[..<colon]),
                    String(printable: Array(line[(colon + 1)...]).trimmed)
                ))
        }
        func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }
        let verdictField = fields.first?.name == "Received" ? fields.dropFirst().first : nil
        verdict = verdictField?.name == "X-QHPSI" ? verdictField?.value : nil
        signature = value("X-QHPSI-Signature")
        isForwarded = value("X-Quarantine-ID") != nil
    }
}
