import ByteText
import Envelope
import Posix

/// The envelope of a message in hold/, state H4 of Sources/Enqueue/README.md.
struct HeldEnvelope {
    /// The user who queued it.
    let user: UInt32
    /// The settings that it came with, when its caller chose them.
    let settings: HeldSettings?
    /// From the sender's record on, as a caller of qmail-queue writes them.
    private let records: [UInt8]
    /// Where the sender's record ends.
    private let senderEnd: Int

    /// The most bytes that are read.
    private static let limit = 1 << 28

    /// Read it.
    ///
    /// - Returns: Nil when it is not there.
    /// - Throws: `todoFile` when it cannot be read, `envelopeFormat` when it is damaged.
    static func open(
        in queue: QueueDirectory, id: UInt64
    ) throws(QueueExit) -> HeldEnvelope? {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try Files.contents(queue.file("hold", id), limit: limit)
        } catch {
            if error == .noSuchFile { return nil }
            throw .todoFile
        }
        guard let envelope = HeldEnvelope(bytes) else { throw .envelopeFormat }
        return envelope
    }

    private init?(_ bytes: [UInt8]) {
        guard bytes.last == 0 else { return nil }
        var start = 0
        var user: UInt32?
        while let end = bytes[start...].firstIndex(of: 0) {
            if bytes[start] == UInt8(ascii: "F") { break }
            if bytes[start] == UInt8(ascii: "u") {
                user = Array(bytes[(start + 1)..<end]).decimalValue.flatMap { UInt32(exactly: $0) }
            }
            start = end + 1
        }
        guard let user, start < bytes.count, let end = bytes[start...].firstIndex(of: 0) else {
            return nil
        }
        self.user = user
        settings = HeldSettings(records: Array(bytes[..<start]))
        records = Array(bytes[start...])
        senderEnd = end + 1 - start
    }

    /// The envelope as a caller gives it, with its own sender or with none, who then hears nothing of it.
    func bytes(withSender hasSender: Bool) -> [UInt8] {
        let sender =
            hasSender ? Array(records[..<senderEnd]) : EnvelopeWriter.record(ofSender: [])
        return sender + records[senderEnd...] + [0]
    }

    /// Its recipients, for people.
    var recipients: [[UInt8]] {
        records[senderEnd...].split(separator: 0).compactMap {
            $0.first == UInt8(ascii: "T") ? Array($0.dropFirst()) : nil
        }
    }
}
