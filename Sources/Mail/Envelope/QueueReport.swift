import ByteText

/// What qmail-queue tells a caller that asks, beside its exit code.
///
/// It is enough for the one log line a message gets and for the reference in a refusal.
/// It is written to the descriptor that the variable `QUEUE_REPORT_FD` names, as records of a tag byte, a
/// text and a NUL, and a last NUL. Unknown tags are to be skipped.
package struct QueueReport: Equatable, Sendable {
    /// The queue's name, for instance `queue1`.
    package var queue: [UInt8] = []
    /// The message's id, its inode number, which is also the reference in a refusal.
    package var id: [UInt8] = []
    /// What the verdict header says: `clean`, `virus found`, `not scanned`, or `failed`.
    package var verdict: [UInt8] = []
    package var signature: [UInt8] = []
    /// Why the message was not scanned, or what failed.
    package var reason: [UInt8] = []
    package var scanner: [UInt8] = []
    /// What the scan took.
    package var milliseconds: [UInt8] = []
    /// What became of the message: `queued`, `refused`, `discarded`, `forwarded`, `deferred`.
    package var outcome: [UInt8] = []
    /// What the postmaster has to mend, although the message is queued: a setting, and its file.
    package var warning: [UInt8] = []

    /// The name of the variable that tells qmail-queue where to write the report.
    package static let variable: StaticString = "QUEUE_REPORT_FD"
    /// The variable with which a caller names the queue's message that it sends on.
    package static let originalVariable: StaticString = "QUEUE_ORIGINAL_FD"

    /// The most bytes a report has.
    package static let sizeLimit = 4096

    /// An empty report.
    package init() {}

    /// The bytes for the wire.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for (tag, text) in records where !text.isEmpty {
            bytes.append(tag)
            bytes.append(contentsOf: text.prefix(450).map { $0 == 0 ? UInt8(ascii: "?") : $0 })
            bytes.append(0)
        }
        bytes.append(0)
        return bytes
    }

    private var records: [(UInt8, [UInt8])] {
        [
            (UInt8(ascii: "Q"), queue), (UInt8(ascii: "I"), id), (UInt8(ascii: "V"), verdict),
            (UInt8(ascii: "N"), signature), (UInt8(ascii: "R"), reason),
            (UInt8(ascii: "S"), scanner), (UInt8(ascii: "M"), milliseconds),
            (UInt8(ascii: "O"), outcome), (UInt8(ascii: "W"), warning),
        ]
    }

    /// Read a report.
    ///
    /// Nil when it does not end as a report does, for instance because qmail-queue was killed.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.sizeLimit, bytes.last == 0,
            bytes.count == 1 || bytes[bytes.count - 2] == 0
        else { return nil }
        for record in bytes.split(separator: 0) {
            let text = Array(record.dropFirst())
            switch record.first {
            case UInt8(ascii: "Q"): queue = text
            case UInt8(ascii: "I"): id = text
            case UInt8(ascii: "V"): verdict = text
            case UInt8(ascii: "N"): signature = text
            case UInt8(ascii: "R"): reason = text
            case UInt8(ascii: "S"): scanner = text
            case UInt8(ascii: "M"): milliseconds = text
            case UInt8(ascii: "O"): outcome = text
            case UInt8(ascii: "W"): warning = text
            default: continue
            }
        }
    }
}
