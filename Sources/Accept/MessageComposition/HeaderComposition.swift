package import Address
import ByteText

/// Makes a header whole: completes its addresses, adds what is missing, removes what must not leave, and
/// says to whom the message goes.
package struct HeaderComposition: Sendable {
    /// Why a header cannot be used.
    package struct Flaw: Error, Sendable {
        /// The field.
        package let field: HeaderField
        /// What is wrong with its addresses.
        package let flaw: AddressFlaw
    }

    /// A whole header.
    package struct Composed: Sendable {
        /// Its lines, without the empty one at its end.
        package let header: [UInt8]
        /// Whom it names as recipients, whole; of a forwarded message those of the forwarding; none
        /// when nobody asked.
        package let recipients: [MailAddress]
        /// Its first Return-Path.
        package let returnPath: ReturnPath
    }

    /// What a Return-Path field says.
    package enum ReturnPath: Equatable, Sendable {
        /// There is none.
        case missing
        /// `<>`.
        case null
        case address(MailAddress)
    }

    /// How addresses are completed.
    package var completion: AddressCompletion
    /// Who it is from when it does not say so.
    package var author: MessageAuthor
    /// How that is written.
    package var style = MessageAuthor.Style.name
    /// The text of a Date field, and of a Message-ID field, that is added.
    package var date: [UInt8]
    package var messageID: [UInt8]
    /// Whether From, and Message-ID, are made anew even if they are there.
    package var replacesFrom = false
    package var replacesMessageID = false
    /// Whether recipients, and a Return-Path, are asked for: only then is a fault in them one of the message.
    package var needsRecipients = true
    package var needsReturnPath = true
    /// Mailing lists: the author of a message to one of them is on it, and wants no answer beside the list's.
    package var lists: [[UInt8]] = []

    /// A composition with these addresses, date and id.
    package init(
        completion: AddressCompletion, author: MessageAuthor, date: [UInt8], messageID: [UInt8]
    ) {
        self.completion = completion
        self.author = author
        self.date = date
        self.messageID = messageID
    }

    /// Make the header of these fields.
    package func compose(_ fields: [HeaderField]) throws(Flaw) -> Composed {
        let forwarded = fields.contains { $0.kind.isOfForwarding }
        var kept: [UInt8] = []
        var kinds: [FieldKind] = []
        var recipients: [MailAddress] = []
        var readers: [MailAddress] = []
        var returnPath = ReturnPath.missing
        for field in fields {
            let kind = field.kind
            if isReplaced(kind, forwarded: forwarded) { continue }
            var field = field
            if kind.hasAddresses, let list = try addresses(of: field, forwarded: forwarded) {
                if needsRecipients, kind.hasRecipients(forwarded: forwarded) {
                    recipients += list.addresses
                }
                if kind == .to || kind == .cc { readers += list.addresses }
                if kind == .returnPath, returnPath == .missing {
                    returnPath = Self.returnPath(list)
                }
                if !kind.isPrivate {
                    field = field.with(text: list.completed(field.text, by: completion))
                }
            }
            kinds.append(kind)
            if !kind.isPrivate { kept += field.bytes }
        }
        return Composed(
            header: missing(from: kinds, forwarded: forwarded)
                + (forwarded || kinds.contains(.followupTo) ? [] : followup(readers)) + kept,
            recipients: recipients.map { completion.completed($0) },
            returnPath: completed(returnPath))
    }

    private func isReplaced(_ kind: FieldKind, forwarded: Bool) -> Bool {
        switch kind {
        case .from: replacesFrom && !forwarded
        case .resentFrom: replacesFrom && forwarded
        case .messageID: replacesMessageID && !forwarded
        case .resentMessageID: replacesMessageID && forwarded
        default: false
        }
    }

    /// The addresses of a field; nil when they cannot be read and nobody needs them: then it stays as it is.
    private func addresses(
        of field: HeaderField, forwarded: Bool
    ) throws(Flaw) -> AddressList? {
        do throws(AddressFlaw) {
            return try AddressList(field.text)
        } catch {
            let isNeeded =
                needsRecipients && field.kind.hasRecipients(forwarded: forwarded)
                || needsReturnPath && field.kind == .returnPath
            if isNeeded { throw Flaw(field: field, flaw: error) }
            return nil
        }
    }

    private static func returnPath(_ list: AddressList) -> ReturnPath {
        guard let first = list.entries.first else { return .missing }
        return first.address.map { .address($0) } ?? .null
    }

    private func completed(_ path: ReturnPath) -> ReturnPath {
        guard case .address(let address) = path else { return path }
        return .address(completion.completed(address))
    }

    /// Mail-Followup-To with all readers, each once, when a list is among them.
    private func followup(_ readers: [MailAddress]) -> [UInt8] {
        var whole: [MailAddress] = []
        for reader in readers.map({ completion.completed($0) }) where !whole.contains(reader) {
            whole.append(reader)
        }
        let isToList = whole.contains { reader in
            lists.contains { $0.lowercased == reader.envelope.lowercased }
        }
        guard isToList else { return [] }
        var field = [UInt8]("Mail-Followup-To:")
        for (i, reader) in whole.enumerated() {
            field += [UInt8](i == 0 ? " " : ",\n\t") + reader.text
        }
        return field + [10]
    }

    /// The fields that every message has and these are not; RFC 5322 §3.6.
    private func missing(from kinds: [FieldKind], forwarded: Bool) -> [UInt8] {
        let prefix: StaticString = forwarded ? "Resent-" : ""
        var added: [UInt8] = []
        func add(_ name: StaticString, _ text: [UInt8]) {
            added += [UInt8](prefix) + [UInt8](name) + [UInt8](": ") + text + [10]
        }
        if !kinds.contains(forwarded ? .resentDate : .date) { add("Date", date) }
        if !kinds.contains(forwarded ? .resentMessageID : .messageID) {
            add("Message-ID", messageID)
        }
        if !kinds.contains(forwarded ? .resentFrom : .from) { add("From", author.text(style)) }
        if !kinds.contains(forwarded ? .resentTo : .to),
            !kinds.contains(forwarded ? .resentCc : .cc)
        {
            add("Cc", [UInt8]("recipient list not shown: ;"))
        }
        return added
    }
}
