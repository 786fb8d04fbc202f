package import ByteText
import Envelope

/// What a trusted proxy says of the client that it speaks for; the command XCLIENT of Postfix.
package struct ClientClaims: Equatable, Sendable {
    /// What it says about one thing.
    package enum Claim<Value: Equatable & Sendable>: Equatable, Sendable {
        /// Nothing: it stays as it is.
        case unsaid
        /// That it does not know.
        case unavailable
        case value(Value)

        /// The value, nil when there is none.
        package var value: Value? {
            if case .value(let value) = self { value } else { nil }
        }
    }

    /// The client's host name.
    package private(set) var name = Claim<[UInt8]>.unsaid
    /// The client's side of the connection.
    package private(set) var address = Claim<IPAddress>.unsaid
    package private(set) var port = Claim<Int>.unsaid
    /// The side of the server that the client has connected to.
    package private(set) var ownAddress = Claim<IPAddress>.unsaid
    package private(set) var ownPort = Claim<Int>.unsaid
    /// What the client called itself.
    package private(set) var helo = Claim<[UInt8]>.unsaid
    /// Whether the client said EHLO.
    package private(set) var isExtended = Claim<Bool>.unsaid
    /// The user that the proxy knows the client for.
    package private(set) var login = Claim<[UInt8]>.unsaid

    /// The attributes, for EHLO.
    static var attributes: StaticString { "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT" }

    /// Read what follows the command's name.
    init(_ argument: [UInt8]) throws(Reply) {
        let words = argument.split(separator: UInt8(ascii: " "))
        if words.isEmpty { throw .malformedClaim("an attribute is missing") }
        for word in words {
            let parts = word.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let value = Xtext.decoded(Array(parts[1])), !value.isEmpty
            else { throw .malformedClaim("write attributes as NAME=value, in xtext") }
            try take(Array(parts[0]), value)
        }
    }

    private mutating func take(_ attribute: [UInt8], _ value: [UInt8]) throws(Reply) {
        if attribute.equalsIgnoringCase("NAME") {
            try Self.set(&name, value) { $0.isHostName ? $0 : nil }
        } else if attribute.equalsIgnoringCase("ADDR") {
            try Self.set(&address, value, Self.address)
        } else if attribute.equalsIgnoringCase("PORT") {
            try Self.set(&port, value, Self.port)
        } else if attribute.equalsIgnoringCase("DESTADDR") {
            try Self.set(&ownAddress, value, Self.address)
        } else if attribute.equalsIgnoringCase("DESTPORT") {
            try Self.set(&ownPort, value, Self.port)
        } else if attribute.equalsIgnoringCase("HELO") {
            try Self.set(&helo, value) { $0.isHostName ? $0 : nil }
        } else if attribute.equalsIgnoringCase("LOGIN") {
            try Self.set(&login, value) { $0.isUserName ? $0 : nil }
        } else if attribute.equalsIgnoringCase("PROTO") {
            try Self.set(&isExtended, value) {
                $0.equalsIgnoringCase("ESMTP")
                    ? true : $0.equalsIgnoringCase("SMTP") ? false : nil
            }
        } else {
            throw .malformedClaim("an attribute is not known here")
        }
    }

    private static func set<Value>(
        _ claim: inout Claim<Value>, _ text: [UInt8], _ read: ([UInt8]) -> Value?
    ) throws(Reply) {
        guard case .unsaid = claim else { throw .malformedClaim("an attribute is given twice") }
        if text.equalsIgnoringCase("[UNAVAILABLE]") || text.equalsIgnoringCase("[TEMPUNAVAIL]") {
            claim = .unavailable
        } else if let value = read(text) {
            claim = .value(value)
        } else {
            throw .malformedClaim("an attribute has a value that it cannot have")
        }
    }

    /// An IPv4 address, or an IPv6 address after `IPV6:`.
    private static func address(_ text: [UInt8]) -> IPAddress? {
        let prefix: StaticString = "IPV6:"
        if text.startsIgnoringCase(with: prefix) {
            let wide = Array(text.dropFirst(prefix.utf8CodeUnitCount))
            return wide.contains(UInt8(ascii: ":")) ? IPAddress(wide) : nil
        }
        return text.contains(UInt8(ascii: ":")) ? nil : IPAddress(text)
    }

    private static func port(_ text: [UInt8]) -> Int? {
        guard let number = text.decimalValue, (1...65535).contains(number) else { return nil }
        return number
    }
}

extension [UInt8] {
    /// Whether this can stand as a client's name, or an address literal, in a header field.
    fileprivate var isHostName: Bool {
        count <= 255
            && allSatisfy {
                $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
                    || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ":")
                    || $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "]")
            }
    }
}

extension Reply {
    fileprivate static func malformedClaim(_ text: StaticString) -> Reply {
        Reply(501, "5.5.4", text)
    }
}
