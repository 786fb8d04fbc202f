package import ByteText

/// Which servers' addresses did not answer, in the form of the queue's lock/tcpto.
///
/// A record has 24 bytes: an address of IPv6, into which IPv4 is mapped, the time in seconds since 1970 with the
/// highest byte first, how many times in a row the address did not answer, and three zeros. A record whose number is 0
/// is free. The file's size says how many records there are.
package struct TimeoutTable: Equatable, Sendable {
    /// The file's bytes.
    package private(set) var bytes: [UInt8]

    private static let recordSize = 24
    /// Seconds within which time-outs of several processes are one.
    private static let together = 120
    /// Seconds for which an address is left alone after the second time-out; each further one doubles them.
    private static let firstPause = 15 * 60
    private static let longestPause = 60 * 60

    /// The table of a file's bytes.
    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// An address that did not answer.
    package struct Entry: Equatable, Sendable {
        /// Which one, and how many times in a row.
        package let address: IPAddress
        package let count: Int
        /// Seconds since 1970 of the last time.
        package let time: Int

        /// The time until which it is left alone.
        package var end: Int {
            if count < 2 { return time }
            return time + min(firstPause << min(count - 2, 8), longestPause)
        }
    }

    /// All that did not answer, in the table's order.
    package var entries: [Entry] { starts.compactMap { entry(at: $0) } }

    private var starts: [Int] {
        Array(
            stride(
                from: 0, to: bytes.count / Self.recordSize * Self.recordSize, by: Self.recordSize))
    }

    private func entry(at start: Int) -> Entry? {
        let count = Int(bytes[start + 20])
        guard count > 0, let address = IPAddress(bytes: Array(bytes[start..<start + 16]))
        else { return nil }
        var time = 0
        for byte in bytes[start + 16..<start + 20] { time = time << 8 | Int(byte) }
        return Entry(address: address, count: count, time: time)
    }

    private func start(of address: IPAddress) -> Int? {
        starts.first { entry(at: $0)?.address == address }
    }

    /// Whether the table has the address.
    package func contains(_ address: IPAddress) -> Bool { start(of: address) != nil }

    /// Whether an address is left alone.
    ///
    /// When its time is over, whoever asks first may try it, and for 2 minutes nobody else.
    package mutating func isLeftAlone(_ address: IPAddress, now: Int) -> Bool {
        guard let start = start(of: address), let entry = entry(at: start), entry.count >= 2,
            entry.time <= now
        else { return false }
        if now < entry.end { return true }
        let trial = now - (entry.end - entry.time) + Self.together
        write(start, address, max(trial, entry.time), entry.count)
        return false
    }

    /// The address did not answer.
    package mutating func timedOut(_ address: IPAddress, now: Int) {
        if let start = start(of: address), let entry = entry(at: start) {
            if now >= entry.time, now < entry.time + Self.together { return }
            return write(start, address, now, min(entry.count + 1, 255))
        }
        // A free record, or the one that was not renewed for longest.
        var oldest: (start: Int, time: Int)?
        for start in starts {
            let time = entry(at: start)?.time ?? -1
            if oldest.map({ time < $0.time }) ?? true { oldest = (start, time) }
        }
        if let oldest { write(oldest.start, address, now, 1) }
    }

    /// The address answered.
    package mutating func answered(_ address: IPAddress) {
        if let start = start(of: address) {
            for i in start..<start + Self.recordSize { bytes[i] = 0 }
        }
    }

    /// All addresses may be tried.
    package mutating func clear() { for i in bytes.indices { bytes[i] = 0 } }

    private mutating func write(_ start: Int, _ address: IPAddress, _ time: Int, _ count: Int) {
        var record = address.bytes
        if record.count == 4 { record = [UInt8](repeating: 0, count: 10) + [255, 255] + record }
        let seconds = UInt32(truncatingIfNeeded: max(0, time))
        for shift: UInt32 in [24, 16, 8, 0] {
            record.append(UInt8(truncatingIfNeeded: seconds >> shift))
        }
        record += [UInt8(truncatingIfNeeded: count), 0, 0, 0]
        for i in record.indices { bytes[start + i] = record[i] }
    }
}
