import ByteText
package import EnvelopeWire

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

    package init() {}

    /// Read what follows the path.
    init(_ text: ArraySlice<UInt8>) throws(Reply) {
        for parameter in try Self.parameters(in: text) {
            guard parameter.isASCII else { throw Reply.oddParameter }
            let parts = Self.parts(parameter)
            try apply(parts.keyword, parts.value)
        }
    }

    /// A parameter's keyword, and its value if it has one.
    static func parts(_ parameter: [UInt8]) -> (keyword: [UInt8], value: [UInt8]?) {
        guard let sign = parameter.firstIndex(of: UInt8(ascii: "=")) else {
            return (parameter, nil)
        }
        return (Array(parameter[..<sign]), Array(parameter[(sign + 1)...]))
    }

    /// The words of a parameter list, without control bytes; RFC 5321 §4.1.2 and RFC 6531 §3.3.
    static func parameters(in text: ArraySlice<UInt8>) throws(Reply) -> [[UInt8]] {
        if text.isEmpty { return [] }
        guard text.first == UInt8(ascii: " ") else {
            throw Reply(501, "5.5.4", "a space must stand between the path and its parameters")
        }
        let words = text.split(separator: UInt8(ascii: " ")).map { Array($0) }
        for word in words where !word.allSatisfy({ $0 > 32 && $0 != 127 }) {
            throw Reply.oddParameter
        }
        return words
    }

    private mutating func apply(_ keyword: [UInt8], _ value: [UInt8]?) throws(Reply) {
        if keyword.equalsIgnoringCase("SIZE") {
            guard size == nil, let value, !value.isEmpty, value.count <= 20,
                value.allSatisfy({ $0.isDigit })
            else { throw Reply(501, "5.5.4", "SIZE must be a number, given once") }
            // 19 or 20 digits may not fit; no limit is so high that the difference matters.
            size = value.decimalValue ?? Int.max
        } else if keyword.equalsIgnoringCase("BODY") {
            guard isEightBit == nil, let value else {
                throw Reply(501, "5.5.4", "BODY must have a value and be given once")
            }
            if value.equalsIgnoringCase("8BITMIME") {
                isEightBit = true
            } else if value.equalsIgnoringCase("7BIT") {
                isEightBit = false
            } else {
                throw Reply(555, "5.5.4", "BODY must be 7BIT or 8BITMIME here")
            }
        } else if keyword.equalsIgnoringCase("SMTPUTF8") {
            guard !usesUTF8, value == nil else {
                throw Reply(501, "5.5.4", "SMTPUTF8 has no value and is given once")
            }
            usesUTF8 = true
        } else if keyword.equalsIgnoringCase("RET") {
            guard let value, notifications.setReturned(value) else {
                throw Reply(501, "5.5.4", "RET must be FULL or HDRS, given once")
            }
        } else if keyword.equalsIgnoringCase("ENVID") {
            guard let value, notifications.setEnvelopeID(value) else {
                throw Reply(501, "5.5.4", "ENVID must be xtext of 1 to 100 octets, given once")
            }
        } else if keyword.equalsIgnoringCase("AUTH") {
            guard !hasOriginalSubmitter, let value, !value.isEmpty, Xtext.decoded(value) != nil
            else { throw Reply(501, "5.5.4", "AUTH must be an address in xtext, given once") }
            hasOriginalSubmitter = true
        } else {
            throw Reply.unknownParameter
        }
    }
}

extension Reply {
    static let oddParameter = Reply(
        501, "5.5.4", "a parameter has a byte that is not printable ASCII")
    static let unknownParameter = Reply(555, "5.5.4", "a parameter is not recognized here")
}
