import ByteText
package import Posix

/// A client's STARTTLS, as it is handed to the program that answers it.
package struct TLSRequest: Sendable {
    /// What the client called itself; nil: it has not.
    let client: [UInt8]?
    /// Whether it did so with EHLO.
    let isExtended: Bool

    /// The variable in which the request is handed over.
    package static var variable: StaticString { "STARTTLSCLIENT" }

    init(client: [UInt8], isExtended: Bool) {
        self.client = client.isEmpty ? nil : client
        self.isExtended = isExtended
    }

    /// Read the request from the variable; nil without the variable: then TLS begins with the connection.
    package init?(_ environment: Environment) {
        guard let text = environment[Self.variable] else { return nil }
        isExtended = text.starts(with: [UInt8](Self.extended))
        client = text.isEmpty ? nil : Array(text.dropFirst(Self.extended.utf8CodeUnitCount))
    }

    var text: [UInt8] {
        client.map { [UInt8](isExtended ? Self.extended : Self.plain) + $0 } ?? []
    }

    private static var extended: StaticString { "EHLO " }
    private static var plain: StaticString { "HELO " }
}
