import ByteText

/// The decoded bytes of one part: what kind of file they are, and what in it cannot be looked into.
///
/// They are looked at where they lie; only the few at the seams, and the first ones, are copied.
struct AttachmentBytes: Sendable {
    private(set) var findings = StructureFindings()
    /// Whether the bytes begin as HTML does.
    private(set) var isHTML = false

    private let isNamedPGP: Bool
    /// Whether they come out of an encoding, by which archives arrive whole, also behind text or a picture.
    private let isEncoded: Bool
    /// Whether they should be a signature.
    private let isSignature: Bool
    /// What was not looked at yet, and before it what was.
    private var window: [UInt8] = []
    /// The offset of the window's first byte in the file, and how much of the window was looked at.
    private var base = 0
    private var looked = 0
    private var isSniffed = false
    private var zip = ZipRecords()
    private var form = FileKind.Form.other
    private var sevenZip: SevenZipArchive?
    private var compound = CompoundFile()

    /// What must be there to tell the kind of file.
    private static let headSize = 1024
    /// What must be there behind a place that is looked at, and before it.
    private static let ahead = 64
    private static let behind = 32

    init(isNamedPGP: Bool, isEncoded: Bool, isSignature: Bool = false) {
        self.isNamedPGP = isNamedPGP
        self.isEncoded = isEncoded
        self.isSignature = isSignature
    }

    /// Read the next bytes.
    mutating func read(_ bytes: borrowing RawSpan, _ range: Range<Int>) {
        var next = range.lowerBound
        if !isSniffed {
            next = extend(bytes, range, to: Self.headSize + Self.ahead)
            guard window.count >= Self.headSize + Self.ahead else { return }
            sniff()
        }
        // The seam: as many of these bytes as make what lies around the next place theirs alone.
        let seam = Self.ahead + Self.behind
        let copied = next - range.lowerBound
        if copied < seam {
            next = extend(bytes, next..<range.upperBound, to: window.count + seam - copied)
        }
        lookInWindow(until: max(looked, window.count - Self.ahead))
        guard next < range.upperBound else {
            shrink()
            return
        }
        let from = next - Self.ahead
        let until = range.upperBound - Self.ahead
        look(bytes, from..<until, at: base + looked - from)
        base += looked + (until - from) - Self.behind
        window = bytes.bytes(until - Self.behind..<range.upperBound)
        looked = Self.behind
    }

    /// Read the end.
    mutating func finish() {
        if !isSniffed { sniff() }
        lookInWindow(until: window.count)
        zip.finish()
        findings.note(zip.reason)
        if zip.hasMembers { findings.hasContainer = true }
        endSevenZip()
        // Behind the last stream stand zeros at most.
        if form == .xz, !window.reversed().drop(while: { $0 == 0 }).starts(with: [0x5A, 0x59]) {
            findings.note("xz file that is cut off")
        }
    }

    /// Append bytes to the window until it has `size` bytes.
    ///
    /// - Returns: Where the rest begins.
    private mutating func extend(
        _ bytes: borrowing RawSpan, _ range: Range<Int>, to size: Int
    ) -> Int {
        let end = min(range.upperBound, range.lowerBound + max(0, size - window.count))
        if end > range.lowerBound { window += bytes.bytes(range.lowerBound..<end) }
        return end
    }

    private mutating func lookInWindow(until end: Int) {
        let all = window
        window = []
        look(all.span.bytes, looked..<end, at: base)
        window = all
        looked = end
    }

    /// Forget what was looked at, but for what must be there before the next place.
    private mutating func shrink() {
        guard looked > 8 * Self.behind else { return }
        window.removeFirst(looked - Self.behind)
        base += looked - Self.behind
        looked = Self.behind
    }

    /// Look at the places of a range; an index and an offset in the file differ by `start`.
    private mutating func look(_ bytes: borrowing RawSpan, _ range: Range<Int>, at start: Int) {
        guard !range.isEmpty else { return }
        switch form {
        case .sevenZip:
            lookForSevenZip(bytes, range)
            return
        case .compound:
            compound.look(bytes, range, at: start)
            if compound.isEncrypted { findings.note("encrypted document") }
            findings.note(compound.reason)
        case .bzip2: lookForStreams(bytes, range, at: start)
        default: break
        }
        if isEncoded || findings.hasContainer {
            if !findings.hasRAR { lookForRAR(bytes, range) }
            lookForSevenZip(bytes, range)
            lookForFooter(bytes, range, at: start)
        }
        // Every mark that counts has a P in it.
        let letter = UInt8(ascii: "P")
        var next = bytes.firstIndex(of: letter, in: range)
        while next < range.upperBound {
            lookAtMark(bytes, next, at: start)
            next = bytes.firstIndex(of: letter, in: next + 1..<range.upperBound)
        }
    }

    /// Of several streams of bzip2 ClamAV unpacks the first.
    private mutating func lookForStreams(
        _ bytes: borrowing RawSpan, _ range: Range<Int>, at start: Int
    ) {
        var next = bytes.firstIndex(of: UInt8(ascii: "B"), in: range)
        while next < range.upperBound {
            if start + next > 0, bytes.has("BZh", at: next, before: bytes.byteCount),
                bytes.has("1AY&SY", at: next + 4, before: bytes.byteCount)
            {
                findings.note("bzip2 file of several streams")
            }
            next = bytes.firstIndex(of: UInt8(ascii: "B"), in: next + 1..<range.upperBound)
        }
    }

    /// An archive of 7z is looked for behind anything, too, and another one behind it.
    private mutating func lookForSevenZip(_ bytes: borrowing RawSpan, _ range: Range<Int>) {
        var next = range.lowerBound
        while next < range.upperBound {
            if sevenZip == nil {
                guard let begin = Self.sevenZip(bytes, next..<range.upperBound) else { return }
                next = begin
                sevenZip = SevenZipArchive()
                findings.hasContainer = true
            }
            sevenZip?.read(bytes.bytes(next..<range.upperBound)[...])
            guard let rest = sevenZip?.rest else { return }
            endSevenZip()
            next = range.upperBound - rest
        }
    }

    private mutating func endSevenZip() {
        guard var ended = sevenZip else { return }
        sevenZip = nil
        ended.finish()
        findings.note(ended.reason)
    }

    /// Where an archive of 7z begins whose mark is in a range.
    private static func sevenZip(_ bytes: borrowing RawSpan, _ range: Range<Int>) -> Int? {
        let rare: UInt8 = 0xBC
        var next = bytes.firstIndex(of: rare, in: range)
        while next < range.upperBound {
            if bytes.has("7z", at: next - 2, before: next),
                SevenZipArchive.begins(bytes.bytes(next - 2..<min(bytes.byteCount, next + 30)))
            {
                return next - 2
            }
            next = bytes.firstIndex(of: rare, in: next + 1..<range.upperBound)
        }
        return nil
    }

    /// An image of a disk with a fixed size says so in its last sector only: VHD.
    private mutating func lookForFooter(
        _ bytes: borrowing RawSpan, _ range: Range<Int>, at start: Int
    ) {
        let sector = 512
        let before = (start + range.lowerBound) % sector
        var i = range.lowerBound + (before == 0 ? 0 : sector - before)
        while i < range.upperBound {
            if bytes.has("conectix\0\0\0\u{2}", at: i, before: bytes.byteCount) {
                findings.note("image of a disk")
            }
            i += sector
        }
    }

    /// An archive of RAR begins wherever its mark is: programs that unpack themselves have it behind them, and readers look
    /// for it behind anything.
    private mutating func lookForRAR(_ bytes: borrowing RawSpan, _ range: Range<Int>) {
        let rare: UInt8 = 0x1A
        var next = bytes.firstIndex(of: rare, in: range)
        while next < range.upperBound {
            // Behind the mark of versions to 4 stands their archive's header, of type 0x73; that of 5 is longer.
            if next >= 4, bytes.has("Rar!\u{1A}\u{7}", at: next - 4, before: bytes.byteCount),
                next + 5 < bytes.byteCount,
                bytes[next + 2] == 0 && bytes[next + 5] == 0x73
                    || bytes[next + 2] == 1 && bytes[next + 3] == 0
            {
                findings.hasRAR = true
                findings.hasContainer = true
                return
            }
            next = bytes.firstIndex(of: rare, in: next + 1..<range.upperBound)
        }
    }

    private mutating func lookAtMark(_ bytes: borrowing RawSpan, _ i: Int, at start: Int) {
        guard i + 1 < bytes.byteCount else { return }
        switch bytes[i + 1] {
        case UInt8(ascii: "K"):
            zip.look(bytes, at: i, offset: start + i)
            if Self.isEnveloped(bytes, i) { findings.note("S/MIME message") }
        case UInt8(ascii: "G"):
            let end = i + 16
            guard bytes.has("-----BEGIN PGP MESSAGE-----", at: i - 11, before: bytes.byteCount)
            else { return }
            // Quoted, indented or in HTML it is one all the same; in the middle of a line it is talked about.
            if end == bytes.byteCount || [10, 13, 32, UInt8(ascii: "<")].contains(bytes[end]) {
                findings.note("PGP message")
            }
        case 0:
            // The name of a stream in a compound file, UTF-16: an Office document with a password.
            if bytes.has(
                "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0", at: i - 18,
                before: bytes.byteCount)
            {
                findings.note("encrypted document")
            }
        default: break
        }
    }

    /// Whether a text at this place is of PKCS #7 and not certificates only; RFC 7468 §8.
    private static func isEnveloped(_ bytes: borrowing RawSpan, _ i: Int) -> Bool {
        guard bytes.has("-----BEGIN PKCS7-----", at: i - 11, before: bytes.byteCount) else {
            return false
        }
        let start = i + 10
        var base64 = Base64Stream()
        var content: [UInt8] = []
        let count = base64.decode(
            bytes, start..<min(bytes.byteCount, start + 30), into: &content)
        return FileKind.isCMS(Array(content[..<count]))
    }

    private mutating func sniff() {
        isSniffed = true
        let kind = FileKind(Array(window.prefix(Self.headSize)), isNamedPGP: isNamedPGP)
        findings.note(kind.reason)
        form = kind.form
        findings.hasRAR = form == .rar
        findings.hasContainer = !kind.isPlain
        // One of CMS is a sequence of DER.
        if isSignature, !kind.isPlain, window.first != 0x30 {
            findings.note(MessageStructure.behindSigned)
        }
        isHTML = kind.isHTML
        if form == .zip { zip.isWhole = true }
        if form == .sevenZip { sevenZip = SevenZipArchive() }
    }
}
