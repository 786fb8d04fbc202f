internal import ByteText

/// The records of a zip archive as they come by; APPNOTE.TXT §4.3.
struct ZipRecords: Sendable {
    /// Why a member cannot be looked into.
    private(set) var reason: [UInt8]?
    /// Whether the file is a zip archive from its first byte, and needs a directory that ClamAV finds.
    var isWhole = false

    /// Whether there was a member.
    private(set) var hasMembers = false
    private var hasDirectory = false
    /// Where runs of directory entries begin, and where the next entry of this run should.
    private var runs: [Int] = []
    private var next = 0

    /// Runs that are remembered; an archive has one, and each archive stored in it.
    private static let runLimit = 64

    /// Look at a mark `PK` in the bytes, which is at this offset of the file.
    mutating func look(_ bytes: [UInt8], at i: Int, offset: Int) {
        let record = Record(bytes, i)
        guard let kind = record.kind else { return }
        switch kind {
        case .local: lookAtMember(record, flags: 6, method: 8, size: 18, nameLength: 26)
        case .entry:
            guard lookAtMember(record, flags: 8, method: 10, size: 20, nameLength: 28) else {
                return
            }
            if offset != next {
                if runs.count == Self.runLimit { runs.removeFirst() }
                runs.append(offset)
            }
            next = offset + 46 + record.short(28) + record.short(30) + record.short(32)
        case .end:
            // ClamAV looks for the directory where this says, and tries nothing else that works.
            let place = record.long(16)
            let entries = record.short(10)
            hasDirectory =
                runs.contains(place) || entries == 0 && record.long(12) == 0
                || runs.contains(offset - record.long(12)) && !isWhole
        }
    }

    /// Read the file's end.
    mutating func finish() {
        if isWhole, !hasDirectory { note("zip archive without directory") }
    }

    private mutating func note(_ text: StaticString) { reason = reason ?? [UInt8](text) }

    /// Methods that libclamav 1.4 unpacks: stored, imploded, deflated, deflate64, bzip2.
    private static func isKnown(_ method: Int) -> Bool { [0, 6, 8, 9, 12].contains(method) }

    /// False when the record cannot be one: the mark was there by chance.
    @discardableResult
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

        private let bytes: ArraySlice<UInt8>

        init(_ bytes: [UInt8], _ start: Int) { self.bytes = bytes[start...].prefix(46) }

        /// Nil when it is no record, or not whole.
        var kind: Kind? {
            guard bytes.count >= 22 else { return nil }
            switch (byte(2), byte(3)) {
            case (3, 4): return bytes.count >= 30 ? .local : nil
            case (1, 2): return bytes.count >= 46 ? .entry : nil
            case (5, 6): return .end
            default: return nil
            }
        }

        private func byte(_ i: Int) -> UInt8 { bytes[bytes.startIndex + i] }
        func short(_ i: Int) -> Int { Int(byte(i)) | Int(byte(i + 1)) << 8 }
        func long(_ i: Int) -> Int { short(i) | short(i + 2) << 16 }
    }
}
