import ByteText

/// A user of this machine.
package struct LocalUser: Equatable, Sendable {
    /// The name.
    package let name: [UInt8]
    /// User and group id.
    package let identifier: UInt32
    package let group: UInt32
    /// The home folder, absolute.
    package let home: [UInt8]
}

/// The users in a file such as /etc/passwd; see passwd(5).
///
/// A static program cannot load the parts of NSS, so users who are elsewhere, in LDAP for instance, are not
/// found.
package struct PasswordFile: Sendable {
    private let text: [UInt8]

    /// The file's bytes.
    package init(_ text: [UInt8]) { self.text = text }

    /// The first user with this name; lines that are no users are skipped.
    package func user(named name: [UInt8]) -> LocalUser? {
        guard !name.isEmpty, !name.contains(UInt8(ascii: ":")), !name.contains(10) else {
            return nil
        }
        return first { line in
            guard line.count > name.count, line.starts(with: name),
                line[line.startIndex + name.count] == UInt8(ascii: ":")
            else { return nil }
            return Self.user(line)
        }
    }

    /// The first user with this id; lines that are no users are skipped.
    package func user(withID identifier: UInt32) -> LocalUser? {
        first { line in
            guard let user = Self.user(line), user.identifier == identifier else { return nil }
            return user
        }
    }

    private func first(_ user: (ArraySlice<UInt8>) -> LocalUser?) -> LocalUser? {
        var start = 0
        while start < text.count {
            let end = text[start...].firstIndex(of: 10) ?? text.count
            if let user = user(text[start..<end]) { return user }
            start = end + 1
        }
        return nil
    }

    private static func user(_ line: ArraySlice<UInt8>) -> LocalUser? {
        let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard fields.count == 7, let identifier = Array(fields[2]).decimalValue,
            let group = Array(fields[3]).decimalValue, identifier < Int(UInt32.max),
            group < Int(UInt32.max), fields[5].first == UInt8(ascii: "/")
        else { return nil }
        return LocalUser(
            name: Array(fields[0]), identifier: UInt32(identifier), group: UInt32(group),
            home: Array(fields[5]))
    }
}
