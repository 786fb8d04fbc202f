import ByteText
import ControlFiles
import EnvelopeWire
import Posix

/// Which queue a message goes to, from QUEUEDIR, QUEUE_BASE, QUEUE_COUNT, QUEUE_START and MIN_FREE.
enum QueueChoice {
    /// Choose a queue and see that it has room.
    ///
    /// - Parameters:
    ///   - settings: The variables that count.
    ///   - instance: Where queues are by default.
    ///   - seed: Spreads messages over the queues; any number that is not negative.
    /// - Returns: An existing queue.
    /// - Throws: `configuration` for a malformed variable, `queueDirectory`, or `write` when the disk is
    ///   fuller than MIN_FREE allows.
    static func queue(
        _ settings: Environment, _ instance: Instance, seed: Int
    ) throws(QueueExit) -> QueueDirectory {
        let queue = try QueueDirectory(opening: path(settings, instance, seed: seed))
        try checkRoom(in: queue, settings)
        return queue
    }

    /// See that there is as much room as MIN_FREE wants, before a message and while it comes.
    ///
    /// - Throws: `write` when there is not, `configuration` for a malformed variable.
    static func checkRoom(
        in queue: QueueDirectory, _ settings: Environment
    ) throws(QueueExit) {
        guard let least = try number(settings, "MIN_FREE"), least > 0 else { return }
        let free: Int
        do throws(Errno) { free = try FileSystem(of: queue.path).freeBytes } catch {
            throw .configuration
        }
        if free < least { throw .write }
    }

    private static func path(
        _ settings: Environment, _ instance: Instance, seed: Int
    ) throws(QueueExit) -> [UInt8] {
        if let path = settings["QUEUEDIR"], !path.isEmpty {
            return absolute(path, instance)
        }
        let count = try number(settings, "QUEUE_COUNT") ?? 1
        let start = try number(settings, "QUEUE_START") ?? 1
        guard count > 0, count <= 10_000 else { throw .configuration }
        var base = instance.spool
        if let path = settings["QUEUE_BASE"], !path.isEmpty { base = absolute(path, instance) }
        base.append("/queue")
        base.append(decimal: start + seed % count)
        return base
    }

    private static func absolute(_ path: [UInt8], _ instance: Instance) -> [UInt8] {
        path.first == UInt8(ascii: "/") ? path : instance.spool + [UInt8(ascii: "/")] + path
    }

    private static func number(
        _ settings: Environment, _ name: StaticString
    ) throws(QueueExit) -> Int? {
        guard let text = settings[name]?.trimmed, !text.isEmpty else { return nil }
        guard let number = text.decimalValue, number < 1 << 60 else { throw .configuration }
        return number
    }
}
