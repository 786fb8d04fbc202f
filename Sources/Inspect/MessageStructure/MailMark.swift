import ByteText

/// The first bytes of a message that lies in another one, by which ClamAV 1.4 knows that it is a message.
///
/// They are the rules for `CL_TYPE_MAIL` in its list of types of files, which is the same in its signatures.
struct MailMark: Sendable {
    private var start: [UInt8] = []

    /// Behind them no rule looks.
    private static let limit = 5120

    /// Read the next bytes.
    mutating func read(_ bytes: borrowing RawSpan, _ range: Range<Int>) {
        guard start.count < Self.limit else { return }
        start += bytes.bytes(
            range.lowerBound..<min(range.upperBound, range.lowerBound + Self.limit - start.count))
    }

    /// Whether ClamAV takes it for a message.
    var isKnown: Bool {
        for name in Self.names where start.starts(with: name) { return true }
        var line = 0
        while line < start.count, line <= 2049 {
            if isKnown(from: line) { return true }
            guard let feed = start[line...].firstIndex(of: UInt8(ascii: "\n")) else { return false }
            line = feed + 1
        }
        return false
    }

    private static let names: [StaticString] = [
        ">From ", "Date: ", "Delivered-To: ", "Delivery-date: ", "Envelope-to: ", "For: ", "From ",
        "From: ", "Message-ID: ", "Message-Id: ", "Received: ", "Received-SPF: ", "Return-Path: ",
        "Return-path: ", "Subject: ", "To: ", "X-Apparently-To: ", "X-EVS", "X-Envelope-From: ",
        "X-Original-To: ", "X-Real-To: ", "X-Sieve: ", "X-Symantec-", "X-UIDL: ",
    ]

    /// Whether the field in this line and one that follows it are a message's.
    private func isKnown(from line: Int) -> Bool {
        let isFirst = line == 0
        if line > 0, line <= 2049, has("received: ", "Received: ", at: line) {
            return isFollowed(line, within: 2048, "content-type: ", "Content-Type: ")
        }
        guard line <= 1025 else { return false }
        if !isFirst, has("from: ", "From: ", at: line) {
            return isFollowed(line, within: 1024, "mime-version: ", "MIME-Version: ")
                || isFollowed(line, within: 2048, "content-type: ", "Content-Type: ")
        }
        if !isFirst, has("message-id: ", "Message-Id: ", at: line) {
            return isFollowed(line, within: 1024, "content-type: ", "Content-Type: ")
        }
        if has("mime-version: ", "MIME-Version: ", at: line) {
            return isFollowed(
                line, within: isFirst ? 1024 : 2048, "content-type: ", "Content-Type: ")
        }
        return false
    }

    /// Whether another field begins at most `distance` bytes behind a line's name.
    private func isFollowed(
        _ line: Int, within distance: Int, _ lower: StaticString, _ upper: StaticString
    ) -> Bool {
        let from = line + 6
        for i in from..<max(from, min(start.count, from + distance))
        where start[i] == UInt8(ascii: "\n") && has(lower, upper, at: i + 1) {
            return true
        }
        return false
    }

    /// Whether a name stands there, each letter in one of the two cases that are given.
    private func has(_ lower: StaticString, _ upper: StaticString, at place: Int) -> Bool {
        let length = lower.utf8CodeUnitCount
        guard start.count - place >= length else { return false }
        return lower.withUTF8Buffer { lower in
            upper.withUTF8Buffer { upper in
                for i in 0..<length
                where start[place + i] != lower[i] && start[place + i] != upper[i] {
                    return false
                }
                return true
            }
        }
    }
}
