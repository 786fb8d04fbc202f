import ByteText
import Filter

/// What the beginning of a delivered message tells about its way.
struct MessageFacts: Equatable {
    /// From `Return-Path`; empty for the sender that gets no bounces.
    private(set) var sender: [UInt8] = []
    /// From `Delivered-To`, the last delivery's.
    private(set) var deliveredTo: [UInt8]?
    /// Whom VIRUSFORWARD has kept it from.
    private(set) var recipients: RecipientList?
    /// The rule that has put it there.
    private(set) var rule: [UInt8]?
    private(set) var verdict: [UInt8]?
    private(set) var signature: [UInt8]?
    /// Where the message begins as the queue took it: behind the lines of the delivery and of the queue's verdict.
    private(set) var start = 0
    /// Whether the bytes went on behind those lines.
    private(set) var isWhole = false

    /// How many recipients are kept.
    private let recipientLimit: Int

    /// Read the first bytes of a message, and keep at most `limit` of its recipients.
    init(_ bytes: [UInt8], keeping limit: Int) {
        recipientLimit = limit
        var reader = HeaderFields(bytes)
        var lines = QueueLines()
        while let field = reader.next() {
            let isQueues = !reader.hasSkipped && lines.holds(field)
            guard isQueues || verdict == nil && QueueLines.isOfDelivery(field.name) else {
                isWhole = true
                return
            }
            start = reader.offset
            if isQueues { takeQueues(field) } else { takeDelivery(field) }
        }
    }

    private mutating func takeQueues(_ field: HeaderFields.Field) {
        if field.name.equalsIgnoringCase("X-QHPSI") { verdict = field.value }
        if field.name.equalsIgnoringCase("X-QHPSI-Signature") { signature = field.value }
        if field.name.equalsIgnoringCase("X-Quarantine-ID") {
            recipients = RecipientList(of: field.body, keeping: recipientLimit)
        }
    }

    private mutating func takeDelivery(_ field: HeaderFields.Field) {
        if field.name.equalsIgnoringCase("X-Filter") { rule = field.value }
        if field.name.equalsIgnoringCase("Delivered-To"), deliveredTo == nil {
            deliveredTo = field.value
        }
        if field.name.equalsIgnoringCase("Return-Path") { sender = Self.address(field.value) }
    }

    /// With texts of no more bytes than are shown, and about as many bytes of memory as they have.
    var shortened: MessageFacts {
        var facts = self
        facts.sender = Array(sender.prefix(Self.shownLimit))
        facts.deliveredTo = deliveredTo.map { Array($0.prefix(Self.shownLimit)) }
        facts.rule = rule.map { Array($0.prefix(Self.shownLimit)) }
        facts.verdict = verdict.map { Array($0.prefix(Self.shownLimit)) }
        facts.signature = signature.map { Array($0.prefix(Self.shownLimit)) }
        return facts
    }

    private static let shownLimit = 1000

    /// Bytes of memory, about.
    var cost: Int {
        var cost = sender.count + (recipients?.cost ?? 0)
        for text in [deliveredTo, rule, verdict, signature] { cost += text?.count ?? 0 }
        return cost
    }

    /// The address between angle brackets; its local part may be in quotes.
    private static func address(_ value: [UInt8]) -> [UInt8] {
        var text = value
        if text.first == UInt8(ascii: "<"), text.last == UInt8(ascii: ">") {
            text = Array(text.dropFirst().dropLast())
        }
        guard text.first == UInt8(ascii: "\"") else { return text }
        var address: [UInt8] = []
        var rest = text.dropFirst()
        while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
            if byte == UInt8(ascii: "\\"), let next = rest.popFirst() {
                address.append(next)
            } else {
                address.append(byte)
            }
        }
        return address + rest
    }
}
