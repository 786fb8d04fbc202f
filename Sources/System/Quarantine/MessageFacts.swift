import ByteText
import Filter

/// What the beginning of a delivered message tells about its way.
struct MessageFacts: Equatable {
    /// From `Return-Path`; empty for the sender that gets no bounces.
    private(set) var sender: [UInt8] = []
    /// From `Delivered-To`, the last delivery's.
    private(set) var deliveredTo: [UInt8]?
    /// Whom VIRUSFORWARD has kept it from.
    private(set) var recipients: [[UInt8]]?
    /// The rule that has put it there.
    private(set) var rule: [UInt8]?
    private(set) var verdict: [UInt8]?
    private(set) var signature: [UInt8]?
    /// Where the message begins as the queue took it: behind the lines of the delivery and of the queue's verdict.
    private(set) var start = 0
    /// Whether the bytes went on behind those lines.
    private(set) var isWhole = false

    /// Read the first bytes of a message.
    init(_ bytes: [UInt8]) {
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
            // The address itself, then a recipient a line: no address has a tab of its own.
            let text = field.body
            var all: [[UInt8]] = []
            var begin = 0
            while let next = text.range(of: ",\t", from: begin) {
                all.append(Array(text[begin..<next.lowerBound]))
                begin = next.upperBound
            }
            all.append(Array(text[begin...]))
            recipients = all.dropFirst().map { $0 }
        }
    }

    private mutating func takeDelivery(_ field: HeaderFields.Field) {
        if field.name.equalsIgnoringCase("X-Filter") { rule = field.value }
        if field.name.equalsIgnoringCase("Delivered-To"), deliveredTo == nil {
            deliveredTo = field.value
        }
        if field.name.equalsIgnoringCase("Return-Path") { sender = Self.address(field.value) }
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
