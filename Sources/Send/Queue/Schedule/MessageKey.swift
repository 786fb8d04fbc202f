/// A message in one of the queues: 8 bytes, for there may be millions.
package struct MessageKey: Equatable, Sendable {
    let bits: UInt64

    /// The most queues there can be, and the largest id; inode numbers are smaller on every file system of Linux.
    package static let queueLimit = 255
    package static let idLimit: UInt64 = 1 << 56

    /// The message with an id in the queue with an index.
    ///
    /// - Returns: Nil when they are beyond the limits.
    package init?(queue: Int, id: UInt64) {
        guard queue >= 0, queue < Self.queueLimit, id < Self.idLimit else { return nil }
        // 0 is no message, so that a table can use it for an empty place.
        bits = UInt64(queue + 1) << 56 | id
    }

    init(bits: UInt64) { self.bits = bits }

    /// The queue's index, and the message's id, its inode number.
    package var queue: Int { Int(bits >> 56) - 1 }
    package var id: UInt64 { bits & (Self.idLimit - 1) }
}
