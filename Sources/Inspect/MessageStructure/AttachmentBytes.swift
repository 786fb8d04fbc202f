internal import ByteText

/// The decoded bytes of one part: what kind of file they are, and what in it cannot be looked into.
struct AttachmentBytes: Sendable {
    private(set) var findings = StructureFindings()
    /// Whether the bytes begin as HTML does.
    private(set) var isHTML = false

    private let isNamedPGP: Bool
    private var window: [UInt8] = []
    /// The offset of the window's first byte, and how much of the window was looked through.
    private var base = 0
    private var looked = 0
    private var isSniffed = false
    private var zip = ZipRecords()
    private var sevenZip: SevenZipArchive?

    /// What is looked through at once, what must be there behind a place, and what is kept before it.
    private static let portion = 8192
    private static let ahead = 64
    private static let behind = 32

    init(isNamedPGP: Bool) { self.isNamedPGP = isNamedPGP }

    /// Read the next bytes.
    mutating func read(_ bytes: [UInt8]) {
        window += bytes
        if window.count - looked > Self.portion { look(until: window.count - Self.ahead) }
    }

    /// Read the end.
    mutating func finish() {
        look(until: window.count)
        zip.finish()
        findings.note(zip.reason)
        if zip.hasMembers { findings.hasContainer = true }
        if var ended = sevenZip {
            ended.finish()
            findings.note(ended.reason)
        }
    }

    private mutating func look(until end: Int) {
        if !isSniffed { sniff() }
        if sevenZip != nil {
            sevenZip?.read(window[looked..<end])
        } else {
            lookForMarks(until: end)
        }
        looked = end
        guard looked > Self.behind else { return }
        window.removeFirst(looked - Self.behind)
        base += looked - Self.behind
        looked = Self.behind
    }

    /// Every mark that counts has a P in it.
    private mutating func lookForMarks(until end: Int) {
        var i = looked
        while i < end {
            if window[i] == UInt8(ascii: "P") { lookAtMark(i) }
            i += 1
        }
    }

    private mutating func lookAtMark(_ i: Int) {
        guard i + 1 < window.count else { return }
        switch window[i + 1] {
        case UInt8(ascii: "K"): zip.look(window, at: i, offset: base + i)
        case UInt8(ascii: "G"):
            guard hasAround(i, "-----BEGIN ", "PGP MESSAGE-----") else { return }
            let start = i - 11
            if start == 0 || window[start - 1] == UInt8(ascii: "\n") {
                findings.note("PGP message")
            }
        case 0:
            // The name of a stream in a compound file, UTF-16: an Office document with a password.
            if hasAround(
                i, "E\0n\0c\0r\0y\0p\0t\0e\0d\0", "P\0a\0c\0k\0a\0g\0e\0")
            {
                findings.note("encrypted document")
            }
        default: break
        }
    }

    private func hasAround(_ i: Int, _ before: StaticString, _ after: StaticString) -> Bool {
        let start = i - before.utf8CodeUnitCount
        guard start >= 0, i + after.utf8CodeUnitCount <= window.count else { return false }
        return before.withUTF8Buffer { window[start..<i].elementsEqual($0) }
            && after.withUTF8Buffer { window[i...].starts(with: $0) }
    }

    private mutating func sniff() {
        isSniffed = true
        let head = Array(window.prefix(1024))
        let kind = FileKind(head, isNamedPGP: isNamedPGP)
        findings.note(kind.reason)
        findings.hasRAR = kind.isRAR
        findings.hasContainer = !kind.isPlain
        isHTML = kind.isHTML
        if kind.isZip { zip.isWhole = true }
        if kind.isSevenZip { sevenZip = SevenZipArchive() }
    }
}
