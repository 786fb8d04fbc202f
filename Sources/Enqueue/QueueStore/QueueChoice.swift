import ByteText
import ControlFiles
import Envelope
import Posix

/// Which queue a message goes to, from QUEUEDIR, QUEUE_BASE, QUEUE_COUNT, QUEUE_START and MIN_FREE.
struct QueueChoice {
    /// The variables that count.
    let settings: Environment
    /// Where queues are by default.
    let instance: Instance
    /// Whether a malformed variable counts as the one that is built in: its message would be lost.
    let forgives: Bool

    /// The first of its variables that is malformed, if any.
    var malformed: StaticString? {
        let names: [StaticString] = ["QUEUE_COUNT", "QUEUE_START", "MIN_FREE"]
        for name in names where Self.isMalformed(name, settings[name]) { return name }
        return nil
    }

    /// As shipped in /etc/qhpsi/defaultqueue.
    private static let leastFree = 52_428_800

    /// Choose a queue and see that it has room.
    ///
    /// - Parameter seed: Spreads messages over the queues; any number that is not negative.
    /// - Returns: An existing queue.
    /// - Throws: `configuration` for a malformed variable, `queueDirectory`, or `write` when the disk is
    ///   fuller than MIN_FREE allows.
    func queue(seed: Int) throws(QueueExit) -> QueueDirectory {
        let queue = try QueueDirectory(opening: path(seed: seed))
        try checkRoom(in: queue)
        return queue
    }

    /// The first queue in the spool, from which qmail-send(8) delivers; nil when the spool has no queue.
    var anyQueue: QueueDirectory? {
        for number in 1...Self.mostTried {
            let path = instance.spool + [UInt8]("/queue") + [UInt8](decimal: number)
            do throws(QueueExit) { return try QueueDirectory(opening: path) } catch { continue }
        }
        return nil
    }

    /// Who has more has the first ones.
    private static let mostTried = 10

    /// See that there is as much room as MIN_FREE wants, before a message and while it comes.
    ///
    /// - Throws: `write` when there is not, `configuration` for a malformed variable.
    func checkRoom(in queue: QueueDirectory) throws(QueueExit) {
        let least = try number("MIN_FREE", orElse: Self.leastFree) ?? 0
        if least == 0 { return }
        let free: Int
        do throws(Errno) { free = try FileSystem(of: queue.path).freeBytes } catch {
            throw .configuration
        }
        if free < least { throw .write }
    }

    /// The queue that the variables name for a message.
    func path(seed: Int) throws(QueueExit) -> [UInt8] {
        if let path = settings["QUEUEDIR"], !path.isEmpty { return absolute(path) }
        let count = try number("QUEUE_COUNT", orElse: 1) ?? 1
        let start = try number("QUEUE_START", orElse: 1) ?? 1
        var base = instance.spool
        if let path = settings["QUEUE_BASE"], !path.isEmpty { base = absolute(path) }
        base.append("/queue")
        base.append(decimal: start + seed % count)
        return base
    }

    private func absolute(_ path: [UInt8]) -> [UInt8] {
        path.first == UInt8(ascii: "/") ? path : instance.spool + [UInt8(ascii: "/")] + path
    }

    /// Nil when it is not set.
    private func number(
        _ name: StaticString, orElse builtIn: Int
    ) throws(QueueExit) -> Int? {
        let text = settings[name]
        if Self.isMalformed(name, text) {
            guard forgives else { throw .configuration }
            return builtIn
        }
        return text?.trimmed.decimalValue
    }

    private static func isMalformed(_ name: StaticString, _ text: [UInt8]?) -> Bool {
        guard let text = text?.trimmed, !text.isEmpty else { return false }
        guard let number = text.decimalValue else { return true }
        return [UInt8](name).equals("QUEUE_COUNT")
            ? !(1...10_000).contains(number) : number >= 1 << 60
    }
}
