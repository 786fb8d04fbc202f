import ByteText
import DeliveryReport
import Posix
import Schedule

/// The log of qmail-send(8), gathered and written before it waits.
struct SendLog {
    private var pending: [UInt8] = []
    /// Bytes at which the log is written at the latest.
    private static let limit = 1 << 15

    /// Write what has been gathered.
    ///
    /// A log that cannot be written to must not stop the mail: its lines are lost.
    mutating func flush() {
        if pending.isEmpty { return }
        FileDescriptor.tell(pending, on: 1)
        pending.removeAll(keepingCapacity: true)
    }

    private mutating func end(_ queue: [UInt8]) {
        pending.append(UInt8(ascii: " "))
        pending += queue
        pending.append(10)
        if pending.count > Self.limit { flush() }
    }

    mutating func newMessage(_ id: UInt64, _ queue: [UInt8]) {
        pending.append("new msg ")
        pending.append(decimal: id)
        end(queue)
    }

    /// A message is there that is not delivered before it has been scanned; since when, in seconds since 1970.
    mutating func held(_ id: UInt64, since: Int, _ queue: [UInt8]) {
        pending.append("held msg ")
        pending.append(decimal: id)
        pending.append(": waits for a scan since ")
        pending.append(decimal: since)
        end(queue)
    }

    mutating func information(
        _ id: UInt64, bytes: Int, sender: [UInt8], process: Int, user: Int, _ queue: [UInt8]
    ) {
        pending.append("info msg ")
        pending.append(decimal: id)
        pending.append(": bytes ")
        pending.append(decimal: bytes)
        pending.append(" from <")
        pending.append(visible: sender)
        pending.append("> qp ")
        pending.append(decimal: process)
        pending.append(" uid ")
        pending.append(decimal: user)
        end(queue)
    }

    mutating func start(
        delivery: Int, _ id: UInt64, _ channel: Channel, to recipient: [UInt8], _ queue: [UInt8]
    ) {
        pending.append("starting delivery ")
        pending.append(decimal: delivery)
        pending.append(": msg ")
        pending.append(decimal: id)
        pending.append(channel == .local ? " to local " : " to remote ")
        pending.append(visible: recipient)
        end(queue)
    }

    /// How many deliveries there are, and how many there may be.
    mutating func status(
        local: (running: Int, limit: Int), remote: (running: Int, limit: Int), stopping: Bool,
        _ queue: [UInt8]
    ) {
        pending.append("status: local ")
        pending.append(decimal: local.running)
        pending.append("/")
        pending.append(decimal: local.limit)
        pending.append(" remote ")
        pending.append(decimal: remote.running)
        pending.append("/")
        pending.append(decimal: remote.limit)
        end(stopping ? queue + [UInt8](" exitasap") : queue)
    }

    mutating func result(
        delivery: Int, _ outcome: DeliveryReport.Outcome, _ text: [UInt8], _ queue: [UInt8]
    ) {
        pending.append("delivery ")
        pending.append(decimal: delivery)
        switch outcome {
        case .success: pending.append(": success: ")
        case .deferral: pending.append(": deferral: ")
        case .failure: pending.append(": failure: ")
        case .mangled: pending.append(": report mangled, will defer")
        }
        if outcome != .mangled { pending.append(visible: text) }
        end(queue)
    }

    mutating func bounce(_ id: UInt64, process: Int32, _ queue: [UInt8]) {
        pending.append("bounce msg ")
        pending.append(decimal: id)
        pending.append(" qp ")
        pending.append(decimal: process)
        end(queue)
    }

    /// `double bounce` or `triple bounce`: nobody is left to be told; `refused notice` or `expired notice`: nobody can be.
    mutating func discarding(_ what: StaticString, _ id: UInt64, _ queue: [UInt8]) {
        pending.append(what)
        pending.append(": discarding bounce/")
        pending.append(decimal: id)
        end(queue)
    }

    mutating func endMessage(_ id: UInt64, _ queue: [UInt8]) {
        pending.append("end msg ")
        pending.append(decimal: id)
        end(queue)
    }

    /// Something does not work and is tried again: what, for which message, and why.
    mutating func warning(
        _ what: StaticString, _ id: UInt64?, _ reason: [UInt8], _ queue: [UInt8]
    ) {
        pending.append("warning: ")
        pending.append(what)
        if let id {
            pending.append(" msg ")
            pending.append(decimal: id)
        }
        pending.append(": ")
        pending.append(contentsOf: reason)
        end(queue)
    }

    /// A line of its own.
    mutating func line(_ text: [UInt8]) {
        pending += text
        pending.append(10)
    }
}
