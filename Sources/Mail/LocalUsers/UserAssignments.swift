import ByteText
package import ConstantDatabases
package import Posix

/// The users that users/assign gives to local parts, before any name of /etc/passwd counts; see qmail-users(5).
package enum UserAssignments {
    /// A line of users/assign.
    struct Assignment: Equatable {
        let isWildcard: Bool
        /// The local part or its beginning.
        let local: [UInt8]
        /// User, uid, gid, home, dash and extension.
        let fields: [[UInt8]]

        /// A line without its line feed; nil when it is not of the form.
        init?(_ line: [UInt8]) {
            guard let sign = line.first, !line.contains(0) else { return nil }
            let parts = line.dropFirst().split(
                separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            // A colon ends the last field; what comes behind it means nothing.
            guard sign == UInt8(ascii: "=") || sign == UInt8(ascii: "+"), parts.count >= 8 else {
                return nil
            }
            isWildcard = sign == UInt8(ascii: "+")
            local = Array(parts[0]).lowercased
            fields = parts[1...6].map { Array($0) }
            guard UserAssignments.user(fields[...]) != nil else { return nil }
        }

        var record: (key: [UInt8], data: [UInt8]) {
            var key = [UInt8(ascii: "!")] + local
            var data: [UInt8] = []
            for field in fields { data += field + [0] }
            if isWildcard {
                // The extension goes on with what the wildcard stands for.
                data.removeLast()
            } else {
                key.append(0)
            }
            return (key, data)
        }
    }

    /// A line of users/assign that is not of its form.
    package struct Flaw: Error, Equatable {
        /// Counted from 1; 0: the last line, a dot, is missing.
        package let line: Int
    }

    /// The records of users/cdb for a users/assign.
    ///
    /// Each assignment is one, and the key without bytes has the last bytes of the wildcards' local parts, so
    /// that a look-up tries no others.
    package static func records(
        _ text: [UInt8]
    ) throws(Flaw) -> [(key: [UInt8], data: [UInt8])] {
        var records: [(key: [UInt8], data: [UInt8])] = []
        var ends = [Bool](repeating: false, count: 256)
        for (i, line) in text.lines.enumerated() {
            if line.first == UInt8(ascii: ".") {
                let list = (0..<256).filter { ends[$0] }.map { UInt8($0) }
                records.append((key: [], data: list))
                return records
            }
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            guard let assignment = Assignment(line) else { throw Flaw(line: i + 1) }
            if assignment.isWildcard, let last = assignment.local.last { ends[Int(last)] = true }
            records.append(assignment.record)
        }
        throw Flaw(line: 0)
    }

    /// Who is assigned a local part: an exact one, or else the longest wildcard; nil when nobody is.
    ///
    /// - Throws: `Errno.invalid` when the file is no database, or a record in it is not of the form.
    package static func find(
        _ local: [UInt8], in database: ConstantDatabase
    ) throws(Errno) -> DeliveryUser? {
        let key = [UInt8(ascii: "!")] + local.lowercased
        if let data = try database.data(key + [0]) { return try found(data) }
        let ends = try database.data([]) ?? []
        for end in stride(from: key.count, through: 1, by: -1)
        where end == 1 || ends.contains(key[end - 1]) {
            guard let data = try database.data(Array(key[..<end])) else { continue }
            return try found(data + local[(end - 1)...] + [0])
        }
        return nil
    }

    private static func found(_ data: [UInt8]) throws(Errno) -> DeliveryUser {
        let fields = data.split(separator: 0, omittingEmptySubsequences: false)
        guard fields.count == 7, let user = user(fields.prefix(6).map { Array($0) }[...]) else {
            throw .invalid
        }
        return user
    }

    private static func user(_ fields: ArraySlice<[UInt8]>) -> DeliveryUser? {
        let fields = Array(fields)
        guard fields.count == 6, !fields[0].isEmpty, let identifier = fields[1].decimalValue,
            let group = fields[2].decimalValue, identifier < Int(UInt32.max),
            group < Int(UInt32.max), fields[3].first == UInt8(ascii: "/")
        else { return nil }
        return DeliveryUser(
            user: LocalUser(
                name: fields[0], identifier: UInt32(identifier), group: UInt32(group),
                home: fields[3]),
            dash: fields[4], ext: fields[5])
    }
}
