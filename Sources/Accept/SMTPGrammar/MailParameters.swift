import ByteText
package import Envelope

/// The ESMTP parameters of a MAIL command that this server offers.
package struct MailParameters: Equatable, Sendable {
    /// SIZE, RFC 1870: the octets the client means to send; nil when it did not say.
    package private(set) var size: Int?
    /// Whether BODY=8BITMIME was given, RFC 6152; nothing depends on it, for every byte is passed on.
    package private(set) var isEightBit: Bool?
    /// SMTPUTF8, RFC 6531: addresses and header fields may be in UTF-8.
    package private(set) var usesUTF8 = false
    /// RET and ENVID, RFC 3461.
    package private(set) var notifications = MessageNotifications()
    /// Whether AUTH was given, RFC 4954 §5: who submitted the message first, in its client's words.
    ///
    /// Nothing depends on it, for no client is trusted to know.
    package private(set) var hasOriginalSubmitter = false
    /// The keywords whose values mean nothing, or that were given before: they count for nothing.
    ///
    /// What they ask for is a wish, and a message is not refused for one that cannot be read.
    package private(set) var ignored: [[UInt8]] = []

    package init() {}

    /// Read what follows the path.
    init(_ text: ArraySlice<UInt8>) throws(Reply) {
        for parameter in Self.parameters(in: text) { try apply(parameter) }
    }

    /// A parameter's keyword, and its value if it has one.
    static func parts(_ parameter: [UInt8]) -> (keyword: [UInt8], value: [UInt8]?) {
        guard let sign = parameter.firstIndex(of: UInt8(ascii: "=")) else {
            return (parameter, nil)
        }
        return (Array(parameter[..<sign]), Array(parameter[(sign + 1)...]))
    }

    /// The words of a parameter list, in any bytes; RFC 5321 §4.1.2 and RFC 6531 §3.3.
    ///
    /// Of a comment behind the path, as in a header, nothing is left, and a blank behind its bracket may be missing.
    static func parameters(in text: ArraySlice<UInt8>) -> [[UInt8]] {
        var text = text.drop { $0 == 32 || $0 == 9 }
        if text.first == UInt8(ascii: "("), let end = text.firstIndex(of: UInt8(ascii: ")")) {
            text = text[(end + 1)...]
        }
        return text.split { $0 == 32 || $0 == 9 }.map { Array($0) }
    }

    private mutating func apply(_ parameter: [UInt8]) throws(Reply) {
        let (keyword, value) = Self.parts(parameter)
        var isGood = true
        if keyword.equalsIgnoringCase("SIZE") {
            isGood = setSize(value)
        } else if keyword.equalsIgnoringCase("BODY") {
            isGood = try setBody(value)
        } else if keyword.equalsIgnoringCase("SMTPUTF8") {
            isGood = !usesUTF8 && value == nil
            usesUTF8 = true
        } else if keyword.equalsIgnoringCase("RET") {
            isGood = value.map { notifications.setReturned($0) } ?? false
        } else if keyword.equalsIgnoringCase("ENVID") {
            isGood = value.map { notifications.setEnvelopeID($0) } ?? false
        } else if keyword.equalsIgnoringCase("AUTH") {
            isGood =
                !hasOriginalSubmitter && value?.isEmpty == false
                && value.flatMap { Xtext.decoded($0) } != nil
            hasOriginalSubmitter = true
        } else {
            throw .unknown(parameter)
        }
        if !isGood { ignored.append(keyword) }
    }

    /// Whether the value says how many octets will come, for the first time.
    private mutating func setSize(_ value: [UInt8]?) -> Bool {
        guard size == nil, let value, !value.isEmpty, value.count <= 20,
            value.allSatisfy({ $0.isDigit })
        else { return false }
        // 19 or 20 digits may not fit; no limit is so high that the difference matters.
        size = value.decimalValue ?? Int.max
        return true
    }

    /// Whether the value says what octets will come, for the first time.
    private mutating func setBody(_ value: [UInt8]?) throws(Reply) -> Bool {
        // No wish: lines of binary data would not come through as they are; RFC 3030 §3.
        if value?.equalsIgnoringCase("BINARYMIME") == true {
            throw Reply(555, "5.5.4", "BODY must be 7BIT or 8BITMIME here")
        }
        guard isEightBit == nil, let value else { return false }
        if value.equalsIgnoringCase("8BITMIME") { isEightBit = true }
        if value.equalsIgnoringCase("7BIT") { isEightBit = false }
        return isEightBit != nil
    }
}

extension Reply {
    static let oddParameter = Reply(
        501, "5.5.4", "a parameter has a byte that is not printable ASCII")
    static let unknownParameter = Reply(555, "5.5.4", "a parameter is not recognized here")

    /// The refusal of a parameter that is not known, which might be more than a wish; RFC 5321 §4.1.1.11.
    static func unknown(_ parameter: [UInt8]) -> Reply {
        parameter.allSatisfy { $0 > 32 && $0 < 127 } ? unknownParameter : oddParameter
    }
}
