import ByteText

/// The header of a message or part, as far as it says how to read what follows.
struct PartHeader: Sendable {
    /// How the body is encoded; RFC 2045 §6.
    enum Coding: Equatable, Sendable { case identity, base64, quotedPrintable }

    private(set) var coding = Coding.identity
    /// The parameter of a multipart; empty: none.
    private(set) var boundary: [UInt8] = []
    /// Why the part is beyond every scanner's sight by its type.
    private(set) var reason: [UInt8]?
    /// Whether the body is a message with a header of its own, by its type.
    private(set) var isMessage = false
    /// Whether it is one by its name.
    private(set) var isNamedMessage = false
    /// Whether it is of another type of messages, such as a report.
    private(set) var isOtherMessage = false
    private(set) var isHTML = false
    /// Whether there is a field by which ClamAV sees a header, so that the next empty line ends it, `Received` excepted.
    private(set) var isHeaderToClamAV = false
    /// Whether there are no fields but those that we put before a message that has none.
    private(set) var isOursAlone = true
    /// Whether the body is to be read otherwise than as plain text.
    private(set) var saysHowToRead = false
    /// Whether a name says that this is an OpenPGP file.
    private(set) var isNamedPGP = false
    /// Whether the body is a multipart of which ClamAV looks at the first part only.
    private(set) var isSigned = false
    /// Whether the body is to be the signature of a part before it.
    private(set) var isSignature = false

    /// Whether this is the header of a message within a message.
    private let isEmbedded: Bool
    private var mark = MailMark()
    private let isBehindSigned: Bool
    /// Whether there was a line with nothing but blanks, at which the header ends for ClamAV.
    private var hasBlankLine = false
    /// The value of the first field `Content-Type`.
    private var firstType: [UInt8]?

    /// The field that is read, when it is one that counts.
    private var field: [UInt8] = []
    private var isWanted = false
    private var isBehindBlankLine = false
    /// What stands where a field should, and what follows it.
    private var stray: [UInt8] = []
    private var isStray = false

    /// The most bytes that are kept of a field, and of lines that are no fields.
    private static let fieldLimit = 16384
    private static let strayLimit = 1024
    /// The longest name of a field.
    private static let nameLimit = 77

    /// The header of a message, of a part, or of a message within a message.
    init(isEmbedded: Bool = false, isBehindSigned: Bool = false) {
        self.isEmbedded = isEmbedded
        self.isBehindSigned = isBehindSigned
    }

    /// Read a piece of a line; `begins` says that it is the line's first one.
    mutating func read(_ bytes: borrowing RawSpan, _ piece: Range<Int>, begins: Bool) {
        guard let start = piece.first else { return }
        if isEmbedded { mark.read(bytes, piece) }
        if begins, bytes[start] == 32 || bytes[start] == 9 {
            hasBlankLine = hasBlankLine || piece.allSatisfy { bytes[$0].isBlank }
        }
        if begins, bytes[start] != 32, bytes[start] != 9 {
            endField()
            // The names that count begin with "Content-".
            isWanted = bytes[start] | 0x20 == UInt8(ascii: "c")
            isBehindBlankLine = hasBlankLine
            isStray = isStray || !Self.isField(bytes, piece)
            isHeaderToClamAV = isHeaderToClamAV || Self.namesAuthor(bytes, piece)
            isOursAlone =
                isOursAlone
                && (bytes.has("Received:", at: start, before: piece.upperBound)
                    || bytes.has("X-QHPSI", at: start, before: piece.upperBound))
        }
        if isStray, stray.count < Self.strayLimit {
            stray += bytes.bytes(
                start..<min(piece.upperBound, start + Self.strayLimit - stray.count))
        }
        if isWanted, field.count < Self.fieldLimit { field += bytes.bytes(piece) }
    }

    /// Read the header's end.
    mutating func finish() {
        endField()
        if isBehindSigned, !isSignature { note(MessageStructure.behindSigned) }
        if isEmbedded, saysHowToRead, !mark.isKnown {
            note(MessageStructure.takenForText)
        }
        guard isStray else { return }
        let kind = FileKind(stray, isNamedPGP: false)
        if !kind.isPlain { note("file in place of a message") }
    }

    /// Whether a line begins with a name and a colon; RFC 5322 §2.2, §4.5.
    private static func isField(_ bytes: borrowing RawSpan, _ line: Range<Int>) -> Bool {
        let name = line.prefix(nameLimit)
        let colon = bytes.firstIndex(of: UInt8(ascii: ":"), in: name.startIndex..<name.endIndex)
        guard colon > line.lowerBound, colon < name.endIndex else { return false }
        return (line.lowerBound..<colon).allSatisfy { bytes[$0].isPrintable || bytes[$0] == 9 }
    }

    /// Whether a line is a field `From`, or the same in Spanish and French, which ClamAV takes for it.
    private static func namesAuthor(_ bytes: borrowing RawSpan, _ line: Range<Int>) -> Bool {
        let first = bytes[line.lowerBound] | 0x20
        guard first == UInt8(ascii: "f") || first == UInt8(ascii: "d") else { return false }
        let colon = bytes.firstIndex(of: UInt8(ascii: ":"), in: line)
        guard colon - line.lowerBound < nameLimit else { return false }
        let name = bytes.bytes(line.lowerBound..<colon)
        return name.equalsIgnoringCase("from") || name.equalsIgnoringCase("de")
    }

    private mutating func endField() {
        guard !field.isEmpty else { return }
        let ended = field
        field = []
        guard let colon = ended.firstIndex(of: UInt8(ascii: ":")), colon < 64 else { return }
        let name = Array(ended[..<colon]).trimmed
        let isType = name.equalsIgnoringCase("content-type")
        if isType || name.equalsIgnoringCase("content-transfer-encoding") {
            isHeaderToClamAV = true
            if isType {
                readType(Array(ended[(colon + 1)...]))
            } else {
                readCoding(ended[(colon + 1)...].map { $0.lowercased })
            }
            if isBehindBlankLine || FieldForm.isOdd(ended, colon: colon) { noteForm() }
        } else if name.equalsIgnoringCase("content-disposition") {
            isHeaderToClamAV = true
            readNames(ended[(colon + 1)...].map { $0.lowercased })
        }
    }

    private mutating func readCoding(_ value: [UInt8]) {
        let word = value.trimmed
        saysHowToRead =
            saysHowToRead || !word.starts(with: "7bit") && !word.starts(with: "8bit")
        if value.range(of: "base64") != nil {
            coding = .base64
        } else if value.range(of: "quoted-printable") != nil {
            coding = .quotedPrintable
        } else {
            return
        }
        if FieldForm.isOddCoding(word) { noteForm() }
    }

    private mutating func noteForm() { note("header in an unusual form") }

    private mutating func readType(_ value: [UInt8]) {
        let lower = value.lowercased
        if let word = Parameter.value(of: "boundary", in: value, lower) { boundary = word }
        if lower.range(of: "pkcs7-mime") != nil, lower.range(of: "certs-only") == nil {
            note("S/MIME message")
        }
        if lower.range(of: "application/pgp-encrypted") != nil
            || lower.range(of: "multipart/encrypted") != nil
        {
            note("PGP message")
        }
        let start = lower.trimmed
        // Of two the first one's boundary counts for ClamAV, and the last one's type.
        if let firstType, firstType != start,
            firstType.starts(with: "multipart") || start.starts(with: "multipart")
        {
            noteForm()
        }
        firstType = firstType ?? start
        if FieldForm.hidesBoundary(value) { noteForm() }
        isSigned = isSigned || start.starts(with: "multipart/signed")
        isSignature =
            isSignature || start.starts(with: "application/pgp-signature")
            || start.starts(with: "application/pkcs7-signature")
            || start.starts(with: "application/x-pkcs7-signature")
        if start.starts(with: "multipart/parallel") { note("parallel parts") }
        saysHowToRead =
            saysHowToRead
            || start.contains(UInt8(ascii: "/")) && !start.starts(with: "text/plain")
        if start.starts(with: "message/partial") { note("part of a message") }
        if start.starts(with: "message/external-body") { note("external body") }
        isMessage =
            isMessage || start.starts(with: "message/rfc822")
            || start.starts(with: "message/global")
                && !start.starts(with: "message/global-")
        isOtherMessage = start.starts(with: "message/") && !isMessage
        isHTML = isHTML || start.starts(with: "text/html") || start.range(of: "xhtml") != nil
        readNames(lower)
    }

    private mutating func readNames(_ lower: [UInt8]) {
        if Parameter.ends(".p7m", in: lower) { note("S/MIME message") }
        isNamedPGP =
            isNamedPGP || Parameter.ends(".gpg", in: lower) || Parameter.ends(".pgp", in: lower)
        isNamedMessage =
            isNamedMessage || Parameter.ends(".eml", in: lower)
            || Parameter.ends(".mht", in: lower) || Parameter.ends(".mhtml", in: lower)
        isHTML =
            isHTML || Parameter.ends(".html", in: lower) || Parameter.ends(".htm", in: lower)
    }

    private mutating func note(_ text: StaticString) { reason = reason ?? [UInt8](text) }
}

/// Parameters of a field; RFC 2045 §5.1, RFC 2231 §3.
private enum Parameter {
    /// The value of a parameter, its parts joined.
    ///
    /// - Parameters:
    ///   - name: In lower case.
    ///   - value: The field.
    ///   - lower: The same in lower case.
    /// - Returns: Nil when there is none.
    static func value(of name: StaticString, in value: [UInt8], _ lower: [UInt8]) -> [UInt8]? {
        var joined: [UInt8] = []
        var from = 0
        while let place = lower.range(of: name, from: from) {
            from = place.upperBound
            var i = skipBlanks(value, from)
            while i < value.count, value[i] == UInt8(ascii: "*") || value[i].isDigit { i += 1 }
            i = skipBlanks(value, i)
            guard i < value.count, value[i] == UInt8(ascii: "=") else { continue }
            i = skipBlanks(value, i + 1)
            joined += word(value, at: i)
            from = max(from, i)
        }
        return joined.isEmpty ? nil : joined
    }

    private static func skipBlanks(_ value: [UInt8], _ start: Int) -> Int {
        var i = start
        while i < value.count, value[i].isBlank { i += 1 }
        return i
    }

    /// A token or a quoted string.
    private static func word(_ value: [UInt8], at start: Int) -> [UInt8] {
        var i = start
        var word: [UInt8] = []
        guard i < value.count, value[i] == UInt8(ascii: "\"") else {
            while i < value.count, !value[i].isBlank, value[i] != UInt8(ascii: ";") {
                word.append(value[i])
                i += 1
            }
            return word
        }
        i += 1
        while i < value.count, value[i] != UInt8(ascii: "\"") {
            if value[i] == UInt8(ascii: "\\"), i + 1 < value.count { i += 1 }
            if value[i] != 13, value[i] != 10 { word.append(value[i]) }
            i += 1
        }
        // Blanks at the end are no part of a boundary; RFC 2046 §5.1.1.
        while word.last == 32 { word.removeLast() }
        return word
    }

    /// Whether a name in the field ends so.
    static func ends(_ suffix: StaticString, in lower: [UInt8]) -> Bool {
        var from = 0
        while let place = lower.range(of: suffix, from: from) {
            from = place.upperBound
            guard from < lower.count else { return true }
            let next = lower[from]
            if !next.isLetter, !next.isDigit, next != UInt8(ascii: "."), next != UInt8(ascii: "-"),
                next != UInt8(ascii: "_")
            {
                return true
            }
        }
        return false
    }
}
