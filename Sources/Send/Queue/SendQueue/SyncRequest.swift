package import Posix

/// What qmail-send asks the process that waits for the disk in its stead, and how that answers.
///
/// A request is 12 bytes: what, two of the queue's number, one of nothing, eight of the message, the least first. An answer is
/// two: 0 for files that are on the disk, else the number of the error. Answers come in the order of the requests.
package struct SyncRequest: Equatable, Sendable {
    /// What is to be synced.
    package let files: UnsyncedFiles
    /// The queue's place among all.
    package let queue: Int
    /// The message's number.
    package let id: UInt64

    /// Bytes of a request.
    package static let size = 12
    /// Bytes of an answer.
    package static let answerSize = 2

    /// A request for a message's files.
    package init(_ files: UnsyncedFiles, queue: Int, id: UInt64) {
        self.files = files
        self.queue = queue
        self.id = id
    }

    /// Its bytes.
    package var encoded: [UInt8] {
        var bytes: [UInt8]
        switch files {
        case .notice: bytes = [0]
        case .takeOver(let local, let remote): bytes = [1 | (local ? 2 : 0) | (remote ? 4 : 0)]
        }
        bytes += [UInt8(truncatingIfNeeded: queue), UInt8(truncatingIfNeeded: queue >> 8), 0]
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: id >> (8 * shift))) }
        return bytes
    }

    /// A request from its bytes; nil when they are no request.
    package init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count == Self.size else { return nil }
        let bytes = Array(bytes)
        switch bytes[0] {
        case 0: files = .notice
        case 1, 3, 5, 7:
            files = .takeOver(local: bytes[0] & 2 != 0, remote: bytes[0] & 4 != 0)
        default: return nil
        }
        queue = Int(bytes[1]) | Int(bytes[2]) << 8
        id = (0..<8).reduce(0) { $0 | UInt64(bytes[4 + $1]) << UInt64(8 * $1) }
    }

    /// The bytes of an answer.
    package static func answer(_ error: Errno?) -> [UInt8] {
        let number = error?.rawValue ?? 0
        return [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)]
    }
}
