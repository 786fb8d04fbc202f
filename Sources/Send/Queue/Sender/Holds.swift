import ByteText
import ControlFiles
import Envelope
import Posix
import Schedule
import SendQueue

/// Messages of hold/, and the runs of qmail-queue that have them scanned.
struct Holds {
    private struct Held {
        let key: MessageKey
        /// Not before; in seconds since 1970.
        var time: Int
        var tries = 0
    }

    private struct Run {
        let held: Held
        let child: Child
    }

    private var waiting: [Held] = []
    /// Those in `waiting` and in `runs`.
    private var known = MessageSet()
    private var runs: [Run] = []
    /// When all were made due because a scan went well, in seconds since 1970.
    private var lastRush = 0

    /// The most that are scanned at once.
    private static let limit = 2
    /// Seconds that the next scan waits after one that failed; twice as many each time.
    private static let shortestPause = 10
    private static let longestPause = 600
    /// Seconds between two times that all are tried because one went well.
    private static let rushSeconds = 60

    /// Add a message, unless it is known.
    ///
    /// - Returns: Whether it is new.
    mutating func add(_ key: MessageKey, at time: Int) -> Bool {
        guard known.insert(key) else { return false }
        waiting.append(Held(key: key, time: time))
        return true
    }

    /// Let all be scanned at once.
    mutating func makeAllDue() { for i in waiting.indices { waiting[i].time = 0 } }

    /// Start one that is due; false when none is.
    mutating func start(
        now: Int, _ start: (MessageKey) throws(Errno) -> Child
    ) throws(Errno) -> Bool {
        guard runs.count < Self.limit, let i = waiting.firstIndex(where: { $0.time <= now }) else {
            return false
        }
        let held = waiting.remove(at: i)
        do throws(Errno) {
            runs.append(Run(held: held, child: try start(held.key)))
        } catch {
            putOff(held, now: now)
            throw error
        }
        return true
    }

    /// When the next one may be started, in seconds since 1970.
    var nextTime: Int? { runs.count < Self.limit ? waiting.map { $0.time }.min() : nil }

    /// A process has ended: the message that it scanned; nil when it was none of these.
    mutating func ended(_ child: Child) -> MessageKey? {
        runs.first { $0.child.identifier == child.identifier }?.held.key
    }

    /// Its message waits on, or is gone; when a scan went well others may, too.
    mutating func finish(_ child: Child, isHeld: Bool, now: Int) {
        guard let i = runs.firstIndex(where: { $0.child.identifier == child.identifier }) else {
            return
        }
        let held = runs.remove(at: i).held
        if isHeld { return putOff(held, now: now) }
        known.remove(held.key)
        if now - lastRush >= Self.rushSeconds {
            lastRush = now
            makeAllDue()
        }
    }

    private mutating func putOff(_ held: Held, now: Int) {
        var next = held
        next.time = now + min(Self.shortestPause << min(held.tries, 6), Self.longestPause)
        next.tries += 1
        waiting.append(next)
    }
}

// Mail that nobody delivers before it has been scanned.
extension Sender {
    /// A message is in hold/.
    func hold(_ key: MessageKey) {
        let queue = queue(key)
        do throws(Errno) {
            // What came just now found no scanner: the next one may be there in a moment.
            guard let since = try queue.heldSince(key.id) else { return }
            if holds.add(key, at: Clock.seconds + Self.heldSeconds) {
                log.held(key.id, since: since, queue.name)
            }
        } catch {
            log.warning("unable to look at hold/ of", key.id, error.text, queue.name)
        }
    }

    private static let heldSeconds = 5

    /// Start scans of what is held.
    func startScans(now: Int) {
        do throws(Errno) {
            while try holds.start(now: now, startScan) {}
        } catch {
            log.line([UInt8]("warning: unable to start a scan of held mail: ") + error.text)
        }
    }

    private func startScan(_ key: MessageKey) throws(Errno) -> Child {
        let null = try FileDescriptor.open([UInt8]("/dev/null"), .readWrite)
        return try Launch(
            instance.qmailQueue,
            arguments: [
                instance.qmailQueue, [UInt8]("-h"), queue(key).name, [UInt8](decimal: key.id),
            ],
            environment: Environment.current,
            descriptors: [null.rawValue, null.rawValue, 2]
        ).start()
    }

    /// A process has ended.
    ///
    /// - Returns: False when it was not the scan of a held message.
    func endScan(_ child: Child, _ ending: Child.Ending) -> Bool {
        guard let key = holds.ended(child) else { return false }
        let queue = queue(key)
        var isHeld = true
        do throws(Errno) { isHeld = try queue.heldSince(key.id) != nil } catch {
            log.warning("unable to look at hold/ of", key.id, error.text, queue.name)
        }
        if isHeld, ending != .exited(QueueExit.scanner.rawValue) {
            log.warning(
                "unable to have scanned what is held,", key.id, Self.text(of: ending), queue.name)
        }
        holds.finish(child, isHeld: isHeld, now: Clock.seconds)
        return true
    }

    /// How a run of qmail-queue ended, in words.
    static func text(of ending: Child.Ending) -> [UInt8] {
        guard case .exited(let code) = ending else { return [UInt8]("qmail-queue was killed") }
        var text = [UInt8]("qmail-queue exits with ")
        text.append(decimal: code)
        if let exit = QueueExit(rawValue: code) { text += [UInt8](", ") + [UInt8](exit.text) }
        return text
    }
}
