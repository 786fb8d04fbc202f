import ByteText
package import ScanProtocol

/// What clamd answers to one command with the prefix `z`, read strictly.
///
/// Whoever sends anything but exactly one known reply is not to be believed; see clamd(8).
package enum ClamdReply {
    /// What the reply is about, which it begins with.
    package enum Subject: Sendable {
        /// `stream: `, after INSTREAM.
        case stream
        /// `fd[N]: `, after FILDES.
        case descriptor
    }

    /// The most bytes of a reply, its NUL included.
    package static let sizeLimit = 1024

    /// The verdict that a reply stands for.
    ///
    /// - Parameters:
    ///   - bytes: All that came until clamd closed the connection, or more than `sizeLimit` bytes of it.
    ///   - subject: What was asked.
    ///   - early: Whether clamd answered before it had the whole message; then it cannot be clean.
    /// - Returns: Clean only for the exact words.
    package static func verdict(
        _ bytes: [UInt8], on subject: Subject, early: Bool = false
    ) -> Verdict {
        guard !bytes.isEmpty else { return failed("clamd gave no reply") }
        guard bytes.count <= sizeLimit else { return failed("clamd's reply is too long") }
        guard let end = bytes.firstIndex(of: 0) else { return failed("clamd's reply is cut off") }
        guard end == bytes.count - 1 else { return failed("clamd gave more than one reply") }
        let text = Array(bytes[..<end])
        if text.equals("INSTREAM size limit exceeded. ERROR") {
            return .notScanned(reason: [UInt8]("exceeds StreamMaxLength"))
        }
        guard let answer = answer(in: text, on: subject) else {
            return failed("clamd: ", text)
        }
        if answer.equals("OK") {
            return early ? failed("clamd answered before it had the message") : .clean
        }
        if let name = answer.withoutSuffix(" FOUND") {
            return isName(name) ? .clamAVFound(name) : failed("clamd: ", text)
        }
        return failed("clamd: ", answer)
    }

    /// clamd's words when it says in one reply that it has no use for a descriptor, or cannot read what it is of.
    ///
    /// An error about a descriptor, or a command that it does not know; nil of everything else, for whatever is no
    /// reply of clamd's is not to be believed, however the message is sent.
    static func refusal(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count <= sizeLimit, let end = bytes.firstIndex(of: 0), end == bytes.count - 1
        else { return nil }
        let text = Array(bytes[..<end])
        if text.equals("UNKNOWN COMMAND") { return text }
        guard let error = text.withoutSuffix(" ERROR"), text.allSatisfy({ !$0.isControl }) else {
            return nil
        }
        // A command that came over bytes only, as by a proxy.
        if error.starts(with: "FILDES: ") || error.equals("No file descriptor received.") {
            return error
        }
        return answer(in: error, on: .descriptor)
    }

    /// What follows the subject; nil when it is not there.
    private static func answer(in text: [UInt8], on subject: Subject) -> [UInt8]? {
        switch subject {
        case .stream:
            return text.starts(with: "stream: ") ? Array(text.dropFirst(8)) : nil
        case .descriptor:
            guard text.starts(with: "fd["), let end = text.range(of: "]: ") else { return nil }
            guard Array(text[3..<end.lowerBound]).decimalValue != nil else { return nil }
            return Array(text[end.upperBound...])
        }
    }

    /// Whether this can be a signature's name: clamd writes `(null)` when it has none.
    ///
    /// Who writes signatures can put blanks and letters of any language in a name, and libclamav finds them, too.
    private static func isName(_ name: [UInt8]) -> Bool {
        !name.trimmed.isEmpty && !name.equals("(null)") && !name.contains { $0.isControl }
    }

    private static func failed(_ words: StaticString, _ text: [UInt8] = []) -> Verdict {
        .failed(reason: [UInt8](words) + ScanReport.printable(text))
    }
}

extension [UInt8] {
    /// What comes before the literal at the end; nil when that is not there.
    fileprivate func withoutSuffix(_ text: StaticString) -> [UInt8]? {
        let length = text.utf8CodeUnitCount
        guard count >= length, Array(suffix(length)).equals(text) else { return nil }
        return Array(dropLast(length))
    }
}
