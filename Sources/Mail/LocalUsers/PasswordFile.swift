import ByteText
package import ControlFiles

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
    private enum Form: Sendable {
        /// The file's bytes.
        case text([UInt8])
        /// The lines of `sortedLines`.
        case sorted([UInt8])
        case image(ControlImage.Lines)
    }

    private let form: Form

    /// The file's bytes, to be asked once or twice.
    package init(_ text: [UInt8]) { form = .text(text) }

    /// The file's bytes, to be asked often.
    package init(sorting text: [UInt8]) { form = .sorted(Self.sortedLines(of: text)) }

    /// The lines of `sortedLines`, as a server has made them for its sessions.
    package init(_ lines: ControlImage.Lines) { form = .image(lines) }

    /// The first user with this name; lines that are no users are skipped.
    package func user(named name: [UInt8]) -> LocalUser? {
        guard !name.isEmpty, !name.contains(Self.colon), !name.contains(10) else { return nil }
        let key = name + [Self.colon]
        switch form {
        case .text(let text):
            return Self.first(in: text) { line in
                line.starts(with: key) ? Self.user(line) : nil
            }
        case .sorted(let lines):
            let bytes = lines.span.bytes
            guard let line = SortedLines.first(key, in: bytes) else { return nil }
            return Self.user(lines[line])
        case .image(let lines):
            return lines.first(beginningWith: key).flatMap { Self.user($0[...]) }
        }
    }

    /// The first user with this id, in the order of names when the lines are sorted; lines that are no users are skipped.
    package func user(withID identifier: UInt32) -> LocalUser? {
        let text =
            switch form {
            case .text(let text), .sorted(let text): text
            case .image(let lines): lines.all
            }
        return Self.first(in: text) { line in
            guard let user = Self.user(line), user.identifier == identifier else { return nil }
            return user
        }
    }

    /// The lines of a file's users, of each name the first, for `SortedLines`.
    package static func sortedLines(of text: [UInt8]) -> [UInt8] {
        var lines: [(key: [UInt8], line: [UInt8])] = []
        _ = first(in: text) { line in
            if let user = user(line) { lines.append((user.name + [colon], Array(line))) }
            return nil
        }
        return SortedLines.bytes(ofKeyed: lines)
    }

    private static let colon = UInt8(ascii: ":")

    private static func first(
        in text: [UInt8], _ user: (ArraySlice<UInt8>) -> LocalUser?
    ) -> LocalUser? {
        var start = 0
        while start < text.count {
            var end = start
            while end < text.count, text[end] != 10 { end += 1 }
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
