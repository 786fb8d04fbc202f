import ByteText

/// Tells which of the first fields of a message are the queue's: its `Received:`, which stands at the very start or
/// behind the `Return-Path`, `Delivered-To` and `X-Filter` of a delivery, and the verdict's lines directly below it.
///
/// Messages that were queued before the verdict stood there have its lines in that place without `Received:`.
package struct QueueLines {
    private enum Place { case delivery, received, verdict, message }
    private var place = Place.delivery

    /// Before the first field.
    package init() {}

    /// Whether the next field is one that only the queue writes.
    ///
    /// `X-Quarantine-ID` is one directly behind the verdict's lines.
    package mutating func holds(_ field: HeaderFields.Field) -> Bool {
        let name = field.name
        switch place {
        case .message: return false
        case .delivery, .received:
            if name.equalsIgnoringCase("X-QHPSI") {
                place = .verdict
                return true
            }
            if place == .received {
                place = .message
            } else if Self.isReceived(field) {
                place = .received
                return true
            } else if !Self.isOfDelivery(name) {
                place = .message
            }
            return false
        case .verdict:
            if name.startsIgnoringCase(with: "X-QHPSI-")
                || name.equalsIgnoringCase("X-Quarantine-ID")
            {
                return true
            }
            place = .message
            return false
        }
    }

    /// Whether it is what qmail-queue writes when it takes a message.
    static func isReceived(_ field: HeaderFields.Field) -> Bool {
        field.name.equalsIgnoringCase("Received") && field.value.starts(with: "(qmail-queue ")
    }

    /// Whether a delivery into a Maildir puts such a field before the message.
    package static func isOfDelivery(_ name: [UInt8]) -> Bool {
        name.equalsIgnoringCase("Return-Path") || name.equalsIgnoringCase("Delivered-To")
            || name.equalsIgnoringCase("X-Filter")
    }
}
