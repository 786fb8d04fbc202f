/// Jobs out of the bytes that qmail-send writes: a number of two bytes, the low one first, and three texts with a NUL
/// behind each: the message's file, sender and recipient.
///
/// Any bytes are jobs or the begin of one; what is too long is read over and answered.
package struct JobReader: Sendable {
    /// What came.
    package enum Event: Equatable, Sendable {
        case job(DeliveryJob)
        /// A job that cannot be done, whatever is tried, and what to answer.
        case refused(number: UInt16, JobReport)
    }

    /// The most bytes of a message's path, and of a sender or a recipient.
    package static let pathLimit = 1024
    package static let addressLimit = 8192

    private var number: UInt16 = 0
    private var bytesOfNumber = 0
    private var texts: [[UInt8]] = []
    private var text: [UInt8] = []
    private var isTooLong = false
    private var flaw: JobReport?

    /// Before the first byte.
    package init() {}

    /// Whether a job has begun and is not complete.
    package var isInside: Bool { bytesOfNumber > 0 }

    /// Read on.
    ///
    /// - Returns: What became complete, in order.
    package mutating func read(_ bytes: ArraySlice<UInt8>) -> [Event] {
        var events: [Event] = []
        for byte in bytes {
            if bytesOfNumber < 2 {
                number |= UInt16(byte) << UInt16(8 * bytesOfNumber)
                bytesOfNumber += 1
            } else if byte != 0 {
                let limit = texts.isEmpty ? Self.pathLimit : Self.addressLimit
                if text.count < limit { text.append(byte) } else { isTooLong = true }
            } else {
                endText()
                if texts.count == 3 { events.append(endJob()) }
            }
        }
        return events
    }

    private mutating func endText() {
        if texts.isEmpty {
            if text.isEmpty || isTooLong {
                flaw = JobReport(.deferral, "The message's file has no usable name. (#4.3.5)")
            }
        } else if isTooLong, flaw == nil {
            flaw =
                texts.count == 1
                ? JobReport(.failure, "The sender's address is too long. (#5.1.7)")
                : JobReport(.failure, "The recipient's address is too long. (#5.1.3)")
        } else if texts.count == 2, text.isEmpty, flaw == nil {
            flaw = JobReport(.failure, "The recipient's address is empty. (#5.1.3)")
        }
        texts.append(text)
        text = []
        isTooLong = false
    }

    private mutating func endJob() -> Event {
        let event: Event
        if let flaw {
            event = .refused(number: number, flaw)
        } else {
            event = .job(
                DeliveryJob(
                    number: number, mess: texts[0], sender: texts[1], recipient: texts[2]))
        }
        self = JobReader()
        return event
    }
}
