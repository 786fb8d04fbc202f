import ByteText

/// All records of a constant database, as tcprules(1) makes them; see cdb(5).
///
/// libcdb finds records by their keys; the doctor wants to see every one, in a file that may be broken.
enum RuleDatabaseFile {
    private static let headerSize = 2048

    /// Keys and data in their order; nil when the file is not such a database.
    static func records(_ bytes: [UInt8]) -> [(key: [UInt8], data: [UInt8])]? {
        guard bytes.count >= headerSize else { return nil }
        // The records end where the first hash table begins.
        var end = bytes.count
        for i in stride(from: 0, to: headerSize, by: 8) {
            guard let table = number(bytes, at: i), table >= headerSize, table <= bytes.count
            else { return nil }
            end = min(end, table)
        }
        var records: [(key: [UInt8], data: [UInt8])] = []
        var next = headerSize
        while next < end {
            guard let keyLength = number(bytes, at: next),
                let dataLength = number(bytes, at: next + 4)
            else { return nil }
            let key = next + 8
            // Both are below 2^32: no overflow.
            let data = key + keyLength
            guard data + dataLength <= end else { return nil }
            records.append((Array(bytes[key..<data]), Array(bytes[data..<data + dataLength])))
            next = data + dataLength
        }
        return records
    }

    /// Four bytes, the low one first.
    private static func number(_ bytes: [UInt8], at index: Int) -> Int? {
        guard index + 4 <= bytes.count else { return nil }
        return bytes[index..<index + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
}
