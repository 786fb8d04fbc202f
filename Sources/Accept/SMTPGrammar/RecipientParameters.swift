import ByteText
package import EnvelopeWire

/// The ESMTP parameters of a RCPT command that this server offers.
package struct RecipientParameters: Equatable, Sendable {
    /// NOTIFY and ORCPT, RFC 3461.
    package private(set) var notifications = RecipientNotifications()
    /// Whether one has bytes that need the SMTPUTF8 extension; RFC 6533 §3.
    package private(set) var isInternational = false

    package init() {}

    /// Read what follows the path.
    init(_ text: ArraySlice<UInt8>) throws(Reply) {
        for parameter in try MailParameters.parameters(in: text) {
            let (keyword, value) = MailParameters.parts(parameter)
            if keyword.equalsIgnoringCase("NOTIFY") {
                guard let value, notifications.setConditions(value) else {
                    throw Reply(
                        501, "5.5.4", "NOTIFY must be NEVER, or SUCCESS, FAILURE, DELAY with commas"
                    )
                }
            } else if keyword.equalsIgnoringCase("ORCPT") {
                guard let value, value.isUTF8, notifications.setOriginalRecipient(value) else {
                    throw Reply(
                        501, "5.5.4", "ORCPT must be a type, a semicolon and an address in xtext")
                }
                isInternational = !value.isASCII
            } else {
                throw parameter.isASCII ? Reply.unknownParameter : Reply.oddParameter
            }
        }
    }
}
