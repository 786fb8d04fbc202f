import ByteText

/// The records of a zip archive as they come by; APPNOTE.TXT §4.3.
struct ZipRecords: Sendable {
    /// Why a member cannot be looked into.
    private(set) var reason: [UInt8]?
    /// Whether the file is a zip archive from its first byte, and needs a directory that ClamAV finds.
    var isWhole = false
    /// Whether there was a member.
    private(set) var hasMembers = false

    private var members: [Member] = []
    private var hasDirectory = false
    /// Whether the directory that was found last says the same as the members.
    private var isConsistent = true
    /// The runs of directory entries, and where the next entry of the last one should begin.
    private var runs: [Run] = []
    private var next = 0

    /// A member's own header.
    private struct Member {
        let offset: Int
        let size: Int
        let isStreamed: Bool
    }

    private struct Run {
        let start: Int
        /// Whether all its entries are of members that were there.
        var isConsistent = true
    }

    /// Runs that are remembered; an archive has one, and each archive stored in it.
    private static let runLimit = 64
    /// Members that are remembered: ClamAV looks at 10000 and then tells that it stops.
    private static let memberLimit = 16384
    /// A size that stands elsewhere, in the zip64 form.
    private static let elsewhere = 0xFFFF_FFFF

    /// Look at a mark `PK` in the bytes, which is at this offset of the file.
    mutating func look(_ bytes: borrowing RawSpan, at i: Int, offset: Int) {
        let record = Record(bytes, i)
        guard let kind = record.kind else { return }
        switch kind {
        case .local:
            guard lookAtMember(record, flags: 6, method: 8, size: 18, nameLength: 26) else {
                return
            }
            let isStreamed = record.short(6) & 8 != 0
            let size = record.long(18)
            // ClamAV takes this for the size, which is more than there is.
            if !isStreamed, size == Self.elsewhere { note("zip archive in the zip64 form") }
            if members.count < Self.memberLimit {
                members.append(Member(offset: offset, size: size, isStreamed: isStreamed))
            }
        case .entry:
            guard lookAtMember(record, flags: 8, method: 10, size: 20, nameLength: 28) else {
                return
            }
            if offset != next || runs.isEmpty {
                if runs.count == Self.runLimit { runs.removeFirst() }
                runs.append(Run(start: offset))
            }
            if !isOfMember(record) { runs[runs.count - 1].isConsistent = false }
            next = offset + 46 + record.short(28) + record.short(30) + record.short(32)
        case .end: lookAtEnd(record)
        }
    }

    /// ClamAV looks for the directory where this says, and tries nothing else that works.
    private mutating func lookAtEnd(_ record: Record) {
        let place = record.long(16)
        isConsistent = true
        if let run = runs.last(where: { $0.start == place }) {
            hasDirectory = true
            isConsistent = run.isConsistent
        } else {
            // An archive without members needs none.
            hasDirectory = !hasMembers && record.short(10) == 0 && record.long(12) == 0
        }
    }

    /// Whether the member that a directory's entry is about was there, and of the size that ClamAV takes it to be.
    private func isOfMember(_ entry: Record) -> Bool {
        guard members.count < Self.memberLimit else { return true }
        let offset = entry.long(42)
        var low = 0
        var high = members.count
        while low < high {
            let middle = (low + high) / 2
            if members[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        guard low < members.count, members[low].offset == offset else { return false }
        return members[low].isStreamed
            ? entry.long(20) != Self.elsewhere : members[low].size == entry.long(20)
    }

    /// Read the file's end.
    mutating func finish() {
        guard isWhole else { return }
        if !hasDirectory { note("zip archive without directory") }
        if !isConsistent { note("zip archive whose directory is wrong") }
    }

    private mutating func note(_ text: StaticString) { reason = reason ?? [UInt8](text) }

    /// Methods that libclamav 1.4 unpacks: stored, imploded, deflated, deflate64, bzip2.
    private static func isKnown(_ method: Int) -> Bool { [0, 6, 8, 9, 12].contains(method) }

    /// False when the record cannot be one: the mark was there by chance.
    private mutating func lookAtMember(
        _ record: Record, flags: Int, method: Int, size: Int, nameLength: Int
    ) -> Bool {
        let name = record.short(nameLength)
        let number = record.short(method)
        guard name > 0, name < 4096, number < 100 else { return false }
        hasMembers = true
        let isStreamed = record.short(flags) & 8 != 0
        if record.short(flags) & 0x41 != 0 || number == 99 {
            note("encrypted zip archive")
        } else if !Self.isKnown(number), isStreamed || record.long(size) > 0 {
            reason =
                reason ?? [UInt8]("zip archive with compression method ") + [UInt8](decimal: number)
        }
        return true
    }

    private struct Record {
        enum Kind { case local, entry, end }

        private let bytes: [UInt8]

        init(_ bytes: borrowing RawSpan, _ start: Int) {
            self.bytes = bytes.bytes(start..<min(bytes.byteCount, start + 46))
        }

        /// Nil when it is no record, or not whole.
        var kind: Kind? {
            guard bytes.count >= 22 else { return nil }
            switch (bytes[2], bytes[3]) {
            case (3, 4): return bytes.count >= 30 ? .local : nil
            case (1, 2): return bytes.count >= 46 ? .entry : nil
            case (5, 6): return .end
            default: return nil
            }
        }

        func short(_ i: Int) -> Int { Int(bytes[i]) | Int(bytes[i + 1]) << 8 }
        func long(_ i: Int) -> Int { short(i) | short(i + 2) << 16 }
    }
}
