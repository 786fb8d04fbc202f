import AdminReport
import ByteText
import Posix

/// A quarantined message.
package struct QuarantineEntry: Sendable {
    /// What it is called: 12 hexadecimal digits that stay when a mail reader moves the file from new/ to cur/.
    package let id: String
    package let place: QuarantinePlace
    /// Below the place: `new/…` or `cur/…`.
    let file: [UInt8]
    /// Whether it was released before.
    package let isReleased: Bool
    /// Bytes of the file.
    package let size: Int
    /// Seconds since 1970 when it was delivered there.
    package let time: Int
    let inode: UInt64
    let facts: MessageFacts

    /// In the name of a file that was released, before a reader's flags.
    static let mark = Array(",QHPSI=released".utf8)

    init(
        place: QuarantinePlace, folder: [UInt8], name: [UInt8], status: FileStatus,
        facts: MessageFacts
    ) {
        self.place = place
        file = folder + [UInt8(ascii: "/")] + name
        let stem = Array(name.prefix { $0 != UInt8(ascii: ":") })
        isReleased = stem.suffix(Self.mark.count).elementsEqual(Self.mark)
        let unique = isReleased ? Array(stem.dropLast(Self.mark.count)) : stem
        id = Self.hash(place.path + [UInt8(ascii: "/")] + unique)
        size = status.size
        time = status.modified
        inode = status.inode
        self.facts = facts
    }

    /// Absolute.
    var path: [UInt8] { place.path + [UInt8(ascii: "/")] + file }

    /// Who sent it, for people.
    package var sender: String { "<" + String(printable: facts.sender) + ">" }
    package var signature: String? { facts.signature.map { String(printable: $0) } }
    package var verdict: String? { facts.verdict.map { String(printable: $0) } }
    package var rule: String? { facts.rule.map { String(printable: $0) } }

    /// FNV-1a of 64 bits; the last 48.
    private static func hash(_ bytes: [UInt8]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let digits = String(hash & 0xFFFF_FFFF_FFFF, radix: 16)
        return String(repeating: "0", count: 12 - digits.count) + digits
    }
}
