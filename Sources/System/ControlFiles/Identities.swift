import ByteText
import Posix

/// The user and group ids of the suite, from a small root-owned file that the installation writes.
///
/// Set-id programs are static and cannot ask NSS; a compiled-in id would be wrong on the next machine.
/// A line is `user NAME UID` or `group NAME GID`; see qhpsi-ids(5).
package struct Identities: Sendable {
    private var entries: [(kind: UInt8, name: [UInt8], id: UInt32)] = []

    /// Read the file.
    ///
    /// A set-id program asks for one that `mustBeTrusted`: it must belong to root and be writable by root
    /// only. A malformed line is a failure of the whole file.
    package init(path: [UInt8], mustBeTrusted: Bool) throws(ControlFailure) {
        let text: [UInt8]
        do throws(Errno) {
            let file = try FileDescriptor.open(path, .readNonBlocking)
            if mustBeTrusted {
                let status = try file.status()
                guard status.owner == 0, status.permissions & 0o022 == 0 else {
                    throw Errno.notPermitted
                }
            }
            text = try file.text(limit: 1 << 16)
        } catch {
            throw .unreadable(path: path, error)
        }
        for line in text.lines where !line.trimmed.isEmpty && line.first != UInt8(ascii: "#") {
            let words = line.words
            guard words.count == 3, words[0].equals("user") || words[0].equals("group"),
                let id = words[2].decimalValue, id >= 0, id < Int(UInt32.max)
            else { throw .malformed(path: path, expected: "lines such as: user qmailq 64015") }
            entries.append((words[0][0], words[1], UInt32(id)))
        }
    }

    /// The id of a user, nil when the file does not name him.
    package func user(_ name: StaticString) -> UInt32? { id(UInt8(ascii: "u"), [UInt8](name)) }

    /// The id of a user, nil when the file does not name him.
    package func user(named name: [UInt8]) -> UInt32? { id(UInt8(ascii: "u"), name) }

    /// The user that a word of control/trustedusers means: by a name of the file, or by number; nil for nobody.
    package func user(meantBy word: [UInt8]) -> UInt32? {
        user(named: word) ?? word.decimalValue.flatMap { UInt32(exactly: $0) }
    }

    /// The id of a group, nil when the file does not name it.
    package func group(_ name: StaticString) -> UInt32? { id(UInt8(ascii: "g"), [UInt8](name)) }

    private func id(_ kind: UInt8, _ name: [UInt8]) -> UInt32? {
        for entry in entries where entry.kind == kind && entry.name == name { return entry.id }
        return nil
    }
}
