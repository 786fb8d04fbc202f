import ByteText
package import ScanProtocol

/// What is to be scanned and what becomes of it: the QHPSI* variables as values.
package struct ScanSettings: Sendable {
    /// REJECTVIRUS: what becomes of an infected message.
    package enum Infected: Sendable, Equatable { case tag, refuse, discard }
    /// QHPSIUNSCANNED: what becomes of a message that was not looked at, or not wholly.
    package enum Unscanned: Sendable, Equatable { case accept, `defer`, reject }
    /// QHPSIONERROR: what becomes of a message when the scanner cannot answer.
    package enum OnError: Sendable, Equatable { case `defer`, accept }

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

    /// A variable has a value that means nothing; temporary, for the postmaster must mend it.
    package struct Failure: Error, Sendable {
        /// The variable, and what it may be.
        package let variable: StaticString
        package let expected: StaticString

        /// What to log.
        package var text: [UInt8] {
            [UInt8](variable) + [UInt8](": expected ") + [UInt8](expected)
        }
    }

    /// The longest QHPSITIMEOUT: an hour; the queue itself gives up after a day.
    package static let longestTimeout = 3600

    /// Read the variables.
    ///
    /// An empty value is as good as none, except for QHPSI: there it is a mistake that must not switch
    /// scanning off.
    ///
    /// - Parameter value: Looks a variable up.
    /// - Throws: For a value that is not what qmail-queue(8) asks for; a mistyped switch must not pass mail.
    package init(reading value: (StaticString) -> [UInt8]?) throws(Failure) {
        func text(_ name: StaticString) -> [UInt8]? {
            guard let text = value(name)?.trimmed, !text.isEmpty else { return nil }
            return text
        }
        func number(_ name: StaticString) throws(Failure) -> Int? {
            guard let text = text(name) else { return nil }
            guard let number = text.decimalValue else {
                throw Failure(variable: name, expected: "a number in decimal digits")
            }
            return number == 0 ? nil : number
        }
        scanner = value("QHPSI")
        infected = try Self.infected(text("REJECTVIRUS"))
        forward = try Self.address(text("VIRUSFORWARD"))
        released = try Self.headerText(text("QHPSIRELEASED"))
        minimumSize = try number("QHPSIMINSIZE")
        maximumSize = try number("QHPSIMAXSIZE")
        if let seconds = try number("QHPSITIMEOUT") {
            guard seconds <= Self.longestTimeout else {
                throw Failure(variable: "QHPSITIMEOUT", expected: "at most 3600 seconds")
            }
            timeout = seconds
        }
        if let word = text("QHPSIUNSCANNED") { unscanned = try Self.unscanned(word) }
        if let word = text("QHPSIONERROR") {
            if word.equals("accept") {
                onError = .accept
            } else if !word.equals("defer") {
                throw Failure(variable: "QHPSIONERROR", expected: "defer or accept")
            }
        }
    }

    private static func infected(_ text: [UInt8]?) throws(Failure) -> Infected {
        guard let text else { return .tag }
        let digits = text.first == UInt8(ascii: "-") ? Array(text.dropFirst()) : text
        guard let number = digits.decimalValue else {
            throw Failure(variable: "REJECTVIRUS", expected: "a number: 0, 1 or 2")
        }
        if number == 0 { return .tag }
        return number == 2 && digits.count == text.count ? .discard : .refuse
    }

    private static func unscanned(_ word: [UInt8]) throws(Failure) -> Unscanned {
        if word.equals("accept") { return .accept }
        if word.equals("defer") { return .defer }
        if word.equals("reject") { return .reject }
        throw Failure(variable: "QHPSIUNSCANNED", expected: "accept, defer or reject")
    }

    private static func address(_ text: [UInt8]?) throws(Failure) -> [UInt8]? {
        guard let text else { return nil }
        // It goes into the envelope and into a header line.
        guard text.count < 900, !text.contains(where: { $0 <= 32 || $0 == 127 }) else {
            throw Failure(variable: "VIRUSFORWARD", expected: "one address without blanks")
        }
        return text
    }

    private static func headerText(_ text: [UInt8]?) throws(Failure) -> [UInt8]? {
        guard let text else { return nil }
        guard text.count <= 400, text.allSatisfy({ $0.isPrintable }) else {
            throw Failure(variable: "QHPSIRELEASED", expected: "one line of printable ASCII")
        }
        return text
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
