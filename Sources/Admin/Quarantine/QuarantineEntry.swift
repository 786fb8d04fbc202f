import AdminReport
import ByteText
import Posix

/// A quarantined message.
package struct QuarantineEntry: Sendable {
    /// What it is called: 32 hexadecimal digits that stay when a mail reader moves the file from new/ to cur/, and that no
    /// other message can be made to have.
    package let id: String
    package let place: QuarantinePlace
    /// `new` or `cur`, and the file's name in it.
    let folder: [UInt8]
    let name: [UInt8]
    /// Whether it was released before.
    package let isReleased: Bool
    /// Bytes of the file.
    package let size: Int
    /// Seconds since 1970 when it was delivered there, as the file says; any number.
    package let time: Int
    let facts: MessageFacts

    /// In the name of a file that was released, before a reader's flags.
    static let mark = Array(",QHPSI=released".utf8)

    /// The message of a file.
    ///
    /// - Throws: What reading throws; `Errno.tooLarge` when the file is too big to be one.
    init(
        place: QuarantinePlace, folder: [UInt8], name: [UInt8], file: borrowing HeldFile,
        facts: MessageFacts
    ) throws(Errno) {
        self.place = place
        self.folder = folder
        self.name = name
        let stem = Self.stem(name)
        isReleased = stem.suffix(Self.mark.count).elementsEqual(Self.mark)
        id = try file.id(in: place.path, stem: Self.lasting(stem))
        size = file.status.size
        time = file.status.modified
        self.facts = facts.shortened
    }

    /// A file's name without a reader's flags.
    static func stem(_ name: [UInt8]) -> [UInt8] { Array(name.prefix { $0 != UInt8(ascii: ":") }) }

    /// Without the mark of a release, too.
    private static func lasting(_ stem: [UInt8]) -> [UInt8] {
        stem.suffix(mark.count).elementsEqual(mark) ? Array(stem.dropLast(mark.count)) : stem
    }

    /// Open its file, which must still be the one that has the id.
    ///
    /// - Parameters:
    ///   - maildir: The place's folder, open.
    ///   - other: Who gets all its bytes, too, in pieces.
    /// - Returns: The file, and the folder that its name is in.
    /// - Throws: `Errno.noSuchFile` when the name is gone or another file's.
    func open(
        in maildir: borrowing FileDescriptor,
        also other: (ArraySlice<UInt8>) throws(Errno) -> Void = { _ in }
    ) throws(Errno) -> OpenEntry {
        let folder = try maildir.folder(named: folder)
        guard let file = try HeldFile.open(name, in: folder),
            try file.id(in: place.path, stem: Self.lasting(Self.stem(name)), also: other) == id
        else { throw .noSuchFile }
        return OpenEntry(file: file, folder: folder)
    }

    /// Absolute.
    var path: [UInt8] { place.path + [UInt8(ascii: "/")] + folder + [UInt8(ascii: "/")] + name }
    /// Bytes of memory that it needs, about.
    var cost: Int { 512 + name.count + facts.cost }

    /// Who sent it, for people.
    package var sender: String { "<" + String(printable: facts.sender) + ">" }
    package var signature: String? { facts.signature.map { String(printable: $0) } }
    package var verdict: String? { facts.verdict.map { String(printable: $0) } }
    package var rule: String? { facts.rule.map { String(printable: $0) } }
}

/// An entry's file and the folder that its name is in, both open.
struct OpenEntry: ~Copyable {
    let file: HeldFile
    let folder: FileDescriptor

    /// Whether a name in the folder is still this file's.
    borrowing func has(_ name: [UInt8]) throws(Errno) -> Bool {
        let status = try folder.status(of: name)
        return status.inode == file.status.inode && status.device == file.status.device
    }
}
