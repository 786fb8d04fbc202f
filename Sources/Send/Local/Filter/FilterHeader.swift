import ByteText

/// The header fields that rules look at, by name or by the numbers that vcfilter(1) has for some.
package enum FilterHeader {
    /// The numbered names, from 0.
    package static let names: [StaticString] = [
        "Return-Path", "From", "Subject", "To", "Cc", "Bcc", "Reply-To", "Date", "Sender",
        "User-Agent", "Message-Id", "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
        "Precedence", "Organization", "Errors-To", "List-Id", "Importance", "Mailing-List",
        "X-Sender", "X-Mailing-List", "X-ML-Name", "X-List", "X-Loop", "X-BeenThere", "X-Sequence",
        "X-Mailer", "X-QHPSI", "X-Priority", "X-Spam-Status", "X-Spam-Rating", "X-Bogosity",
        "Received", "X-Quarantine", "Domainkey-Signature", "DKIM-Signature", "DKIM-Status",
        "Domainkey-Status", "X-Forwarded-To", "X-Forwarded-For", "Return-Receipt-To",
        "Disposition-Notification-To", "Disposition-Notification-Options", "Original-Recipient",
        "X-BitDefender-Spam", "X-DSPAM-Result",
    ]

    /// The spelling of number 42 in the table that admins know.
    private static let knownSlip: StaticString = "Dispostion-Notification-To"
    private static let lengthLimit = 76

    /// The field's name for a number or a name.
    ///
    /// A name need not have a number; one that has is spelt as in the table.
    ///
    /// - Parameter text: Digits are a number.
    /// - Returns: The name without a colon.
    /// - Throws: When no field can have the name, or nothing has the number.
    package static func name(_ text: [UInt8]) throws(FilterFlaw) -> [UInt8] {
        if !text.isEmpty, text.allSatisfy({ $0.isDigit }) {
            guard let number = text.decimalValue, number < names.count else {
                throw FilterFlaw(expected: "a header's number from 0 to 46", found: text)
            }
            return [UInt8](names[number])
        }
        for name in names where text.equalsIgnoringCase(name) { return [UInt8](name) }
        if text.equalsIgnoringCase(knownSlip) { return [UInt8]("Disposition-Notification-To") }
        // RFC 5322 §3.6.8.
        guard let first = text.first, first.isLetter, text.count <= lengthLimit,
            text.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: ":") })
        else { throw FilterFlaw(expected: "a header's number or name", found: text) }
        return text
    }
}
