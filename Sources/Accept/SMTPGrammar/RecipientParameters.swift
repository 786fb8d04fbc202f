import ByteText
package import Envelope

/// The ESMTP parameters of a RCPT command that this server offers.
package struct RecipientParameters: Equatable, Sendable {
    /// NOTIFY and ORCPT, RFC 3461.
    package private(set) var notifications = RecipientNotifications()

    /// The keywords whose values mean nothing, or that were given before: they count for nothing.
    package private(set) var ignored: [[UInt8]] = []

    package init() {}

    /// Read what follows the path.
    init(_ text: ArraySlice<UInt8>) throws(Reply) {
        for parameter in MailParameters.parameters(in: text) {
            let (keyword, value) = MailParameters.parts(parameter)
            var isGood = false
            if keyword.equalsIgnoringCase("NOTIFY") {
                if let value { isGood = notifications.setConditions(value) }
            } else if keyword.equalsIgnoringCase("ORCPT") {
                if let value, value.isUTF8 { isGood = notifications.setOriginalRecipient(value) }
            } else {
                throw .unknown(parameter)
            }
            if !isGood { ignored.append(keyword) }
        }
    }

    /// Whether ORCPT has bytes that need the SMTPUTF8 extension; RFC 6533 §3.
    private var isInternational: Bool { !notifications.originalRecipient.isASCII }

    /// The same for a message without SMTPUTF8.
    var withoutUTF8: RecipientParameters {
        guard isInternational else { return self }
        var changed = self
        changed.notifications.forgetOriginalRecipient()
        changed.ignored.append([UInt8]("ORCPT"))
        return changed
    }
}
