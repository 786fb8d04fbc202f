import ByteText
package import ScanProtocol

/// What is to be scanned and what becomes of it: the QHPSI* variables as values.
package struct ScanSettings: Sendable {
    /// REJECTVIRUS: what becomes of an infected message.
    package enum Infected: Sendable, Equatable { case tag, refuse, discard }
    /// QHPSIUNSCANNED: what becomes of a message that was not looked at, or not wholly.
    package enum Unscanned: Sendable, Equatable { case accept, `defer`, reject }
    /// QHPSIONERROR: what becomes of a message when the scanner cannot answer.
    package enum OnError: Sendable, Equatable { case `defer`, accept, hold }

    /// QHPSI as it stands; nil when scanning is off.
    package var scanner: [UInt8]?
    package var infected = Infected.tag
    /// VIRUSFORWARD: where infected messages go instead.
    package var forward: [UInt8]?
    package var unscanned = Unscanned.accept
    package var onError = OnError.defer
    /// QHPSIMINSIZE and QHPSIMAXSIZE, bytes of the message as received; nil: no limit.
    package var minimumSize: Int?
    package var maximumSize: Int?
    /// QHPSITIMEOUT, seconds for the whole scan.
    package var timeout = 120

    /// QHPSIRELEASED: who takes it on himself that the message is queued as it is, and when; nil: nobody does.
    package var released: [UInt8]?

    package init() {}

    /// Variables whose values mean nothing: each has the strictest meaning by which no message is lost, and none of
    /// a message that was scanned so is called clean.
    package private(set) var malformed: [Flaw] = []

    /// A variable whose value means nothing; the postmaster must mend it.
    package struct Flaw: Sendable {
        /// The variable, and what it may be.
        package let variable: StaticString
        package let expected: StaticString

        /// For whoever knows where it is set.
        package var text: [UInt8] {
            [UInt8](variable) + [UInt8](": expected ") + [UInt8](expected)
        }

        /// For the header of a message and for the log.
        package var reason: [UInt8] {
            [UInt8]("setting ") + [UInt8](variable) + [UInt8](" is malformed: expected ")
                + [UInt8](expected)
        }
    }

    /// Whether a variable is one of the malformed.
    package func isMalformed(_ variable: StaticString) -> Bool {
        malformed.contains { [UInt8]($0.variable).equals(variable) }
    }

    /// The longest QHPSITIMEOUT: an hour; the queue itself gives up after a day.
    package static let longestTimeout = 3600

    /// Read the variables.
    ///
    /// An empty value is as good as none, except for QHPSI: there it is a mistake that must not switch
    /// scanning off. What is not as qmail-queue(8) asks for is in `malformed`.
    ///
    /// - Parameters:
    ///   - mistyped: What QHPSIONERROR is when it is malformed.
    ///   - value: Looks a variable up.
    package init(onError mistyped: OnError = .defer, reading value: (StaticString) -> [UInt8]?) {
        func text(_ name: StaticString) -> [UInt8]? {
            guard let text = value(name)?.trimmed, !text.isEmpty else { return nil }
            return text
        }
        scanner = value("QHPSI")
        if let word = text("REJECTVIRUS") { setInfected(word) }
        if let address = text("VIRUSFORWARD") { setForward(address) }
        if let words = text("QHPSIRELEASED") { setReleased(words) }
        minimumSize = number("QHPSIMINSIZE", text("QHPSIMINSIZE"))
        maximumSize = number("QHPSIMAXSIZE", text("QHPSIMAXSIZE"))
        if let seconds = number("QHPSITIMEOUT", text("QHPSITIMEOUT")) {
            if seconds <= Self.longestTimeout {
                timeout = seconds
            } else {
                note("QHPSITIMEOUT", "at most 3600 seconds")
            }
        }
        if let word = text("QHPSIUNSCANNED") { setUnscanned(word) }
        if let word = text("QHPSIONERROR") { setOnError(word, orElse: mistyped) }
    }

    private mutating func note(_ variable: StaticString, _ expected: StaticString) {
        malformed.append(Flaw(variable: variable, expected: expected))
    }

    /// The value is nil when the variable is not set, or is 0.
    private mutating func number(_ name: StaticString, _ text: [UInt8]?) -> Int? {
        guard let text else { return nil }
        guard let number = text.decimalValue else {
            note(name, "a number in decimal digits")
            return nil
        }
        return number == 0 ? nil : number
    }

    private mutating func setInfected(_ text: [UInt8]) {
        let digits = text.first == UInt8(ascii: "-") ? Array(text.dropFirst()) : text
        guard let number = digits.decimalValue else {
            infected = .refuse
            return note("REJECTVIRUS", "a number: 0, 1 or 2")
        }
        if number == 0 { return }
        infected = number == 2 && digits.count == text.count ? .discard : .refuse
    }

    private mutating func setForward(_ text: [UInt8]) {
        // It goes into the envelope and into a header line.
        guard text.count < 900, Self.isAddress(text) else {
            // It was not to reach its recipients.
            infected = .refuse
            return note("VIRUSFORWARD", "one address without blanks or quotes")
        }
        forward = text
    }

    /// Whether a text is an address as envelopes have it, or the name of a mailbox of this machine.
    private static func isAddress(_ text: [UInt8]) -> Bool {
        let local = text.prefix { $0 != UInt8(ascii: "@") }
        let special = Array("()<>[]:;,\\\"".utf8)
        let isName = local.allSatisfy { $0 > 32 && $0 != 127 && !special.contains($0) }
        guard !local.isEmpty, isName else { return false }
        if local.count == text.count { return true }
        var domain = text.dropFirst(local.count + 1)
        var marks = Array("-_".utf8)
        if domain.first == UInt8(ascii: "["), domain.last == UInt8(ascii: "]") {
            domain = domain.dropFirst().dropLast()
            marks.append(UInt8(ascii: ":"))
        }
        return domain.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .allSatisfy { label in
                !label.isEmpty
                    && label.allSatisfy {
                        $0.isLetter || $0.isDigit || $0 >= 128 || marks.contains($0)
                    }
            }
    }

    private mutating func setReleased(_ text: [UInt8]) {
        guard text.count <= 400, text.allSatisfy({ $0.isPrintable }) else {
            return note("QHPSIRELEASED", "one line of printable ASCII")
        }
        released = text
    }

    private mutating func setUnscanned(_ word: [UInt8]) {
        if word.equals("accept") { return }
        // Who mistyped reject can still want the message.
        unscanned = word.equals("reject") ? .reject : .defer
        if unscanned == .defer, !word.equals("defer") {
            note("QHPSIUNSCANNED", "accept, defer or reject")
        }
    }

    private mutating func setOnError(_ word: [UInt8], orElse mistyped: OnError) {
        if word.equals("defer") { return onError = .defer }
        if word.equals("accept") { return onError = .accept }
        onError = word.equals("hold") ? .hold : mistyped
        if !word.equals("hold") { note("QHPSIONERROR", "defer, accept or hold") }
    }

    /// The verdict for a message that is not to be scanned, because of its size.
    ///
    /// - Parameter size: Bytes of the message as received.
    /// - Returns: Nil when it is to be scanned.
    package func verdictBySize(_ size: Int) -> Verdict? {
        if let minimumSize, size < minimumSize {
            return .notScanned(reason: [UInt8]("smaller than QHPSIMINSIZE"))
        }
        if let maximumSize, size > maximumSize {
            return .notScanned(reason: [UInt8]("larger than QHPSIMAXSIZE"))
        }
        return nil
    }
}
