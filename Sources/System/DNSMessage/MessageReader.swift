import ByteText

/// Reads the parts of a message one after the other; RFC 1035 §4.1.
///
/// Nil means that the message ends before the part does or that the part is not what the RFC says.
struct MessageReader {
    /// CNAME.
    static let alias: UInt16 = 5

    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The first 12 bytes; RFC 1035 §4.1.1.
    struct Header {
        fileprivate let flags: UInt16
        let questions: Int
        let answers: Int
        let authorities: Int
        let additional: Int

        var isAnswer: Bool { flags & 0x8000 != 0 }
        /// OPCODE 0.
        var isQuery: Bool { flags & 0x7800 == 0 }
        var isAuthoritative: Bool { flags & 0x0400 != 0 }
        var isTruncated: Bool { flags & 0x0200 != 0 }
        var canRecurse: Bool { flags & 0x0080 != 0 }
        var responseCode: UInt16 { flags & 15 }
    }

    /// A record whose data has not been looked at.
    struct Record {
        let owner: DomainName
        let type: UInt16
        let isInternet: Bool
        fileprivate let data: Range<Int>
    }

    mutating func header() -> Header? {
        guard number() != nil, let flags = number(), let questions = number(),
            let answers = number(), let authorities = number(), let additional = number()
        else { return nil }
        return Header(
            flags: flags, questions: Int(questions), answers: Int(answers),
            authorities: Int(authorities), additional: Int(additional))
    }

    /// The next two bytes as a number.
    mutating func number() -> UInt16? {
        guard bytes.count - position >= 2 else { return nil }
        defer { position += 2 }
        return UInt16(bytes[position]) << 8 | UInt16(bytes[position + 1])
    }

    /// The next name.
    mutating func name() -> DomainName? {
        guard let (name, end) = name(at: position, upTo: bytes.count) else { return nil }
        position = end
        return name
    }

    mutating func record() -> Record? {
        guard let owner = name(), let type = number(), let kind = number(), number() != nil,
            number() != nil, let length = number(), bytes.count - position >= Int(length)
        else { return nil }
        let start = position
        position += Int(length)
        return Record(owner: owner, type: type, isInternet: kind == 1, data: start..<position)
    }

    /// The name that is a record's whole data.
    func name(in record: Record) -> DomainName? {
        name(from: record.data.lowerBound, to: record.data.upperBound)
    }

    func data(of record: Record, _ type: RecordType) -> RecordData? {
        let range = record.data
        switch type {
        case .address, .wideAddress:
            guard range.count == (type == .address ? 4 : 16),
                let address = IPAddress(bytes: Array(bytes[range]))
            else { return nil }
            return .address(address)
        case .pointer: return name(in: record).map { .name($0) }
        case .exchange:
            guard range.count > 2,
                let name = name(from: range.lowerBound + 2, to: range.upperBound)
            else { return nil }
            let start = range.lowerBound
            let preference = UInt16(bytes[start]) << 8 | UInt16(bytes[start + 1])
            return .exchange(preference: preference, name)
        case .text: return strings(range).map { .text($0) }
        }
    }

    /// Strings, each after its length, put together; RFC 1035 §3.3.14.
    private func strings(_ range: Range<Int>) -> [UInt8]? {
        var text: [UInt8] = []
        var next = range.lowerBound
        while next < range.upperBound {
            let end = next + 1 + Int(bytes[next])
            guard end <= range.upperBound else { return nil }
            text.append(contentsOf: bytes[next + 1..<end])
            next = end
        }
        return text
    }

    private func name(from start: Int, to end: Int) -> DomainName? {
        guard let (name, last) = name(at: start, upTo: end), last == end else { return nil }
        return name
    }

    /// The name that starts at an index, and where it ends; RFC 1035 §4.1.4.
    ///
    /// A pointer leads to before where the last one led, so that there is an end to them.
    private func name(at start: Int, upTo end: Int) -> (DomainName, Int)? {
        var labels: [[UInt8]] = []
        var next = start
        var limit = end
        var earliest = start
        var ending: Int?
        while next < limit {
            let length = Int(bytes[next])
            if length == 0 {
                return DomainName(labels: labels).map { ($0, ending ?? next + 1) }
            }
            if length < 64 {
                guard limit - next > length, labels.count < 128 else { return nil }
                labels.append(Array(bytes[next + 1..<next + 1 + length]))
                next += 1 + length
                continue
            }
            guard length >= 192, limit - next >= 2 else { return nil }
            let target = (length & 63) << 8 | Int(bytes[next + 1])
            guard target < earliest else { return nil }
            ending = ending ?? next + 2
            earliest = target
            next = target
            limit = bytes.count
        }
        return nil
    }
}
