import Bounce
import ByteText
import ControlFiles
import EnvelopeWire
import Posix
import QueueStore
import Schedule
import SendQueue

/// Messages whose senders are to be told something, and the runs of qmail-queue that tell them.
struct Notices {
    struct Waiting {
        let key: MessageKey
        /// Not before; in seconds since 1970.
        let time: Int
        /// Whether it is to have nobody else's words: with them it was refused.
        let isBare: Bool
    }

    struct Run {
        let key: MessageKey
        let isBare: Bool
        let child: Child
    }

    private var waiting: [Waiting] = []
    /// Those in `waiting`.
    private var known = MessageSet()
    var runs: [Run] = []
    /// A run scans the notice as every message, so there are few at once.
    private static let limit = 4

    /// Add a message, unless it is there: a sender is told once.
    mutating func add(_ key: MessageKey, at time: Int = 0, isBare: Bool = false) {
        if runs.contains(where: { $0.key == key }) || !known.insert(key) { return }
        waiting.append(Waiting(key: key, time: time, isBare: isBare))
    }

    /// Tell nobody of a message that is gone; what a run of qmail-queue for it says is not heard.
    mutating func forget(_ key: MessageKey) {
        waiting.removeAll { $0.key == key }
        known.remove(key)
        runs.removeAll { $0.key == key }
    }

    /// Let all be told at once.
    mutating func makeAllDue() {
        waiting = waiting.map { Waiting(key: $0.key, time: 0, isBare: $0.isBare) }
    }

    /// The next that may be started.
    mutating func next(now: Int) -> Waiting? {
        guard runs.count < Self.limit, let i = waiting.firstIndex(where: { $0.time <= now }) else {
            return nil
        }
        known.remove(waiting[i].key)
        return waiting.remove(at: i)
    }

    /// When the next one may be started, in seconds since 1970.
    var nextTime: Int? {
        runs.count < Self.limit ? waiting.map { $0.time }.min() : nil
    }

    mutating func ended(_ child: Child) -> Run? {
        guard let i = runs.firstIndex(where: { $0.child.identifier == child.identifier }) else {
            return nil
        }
        return runs.remove(at: i)
    }
}

extension Sender {
    /// After a failed run the next one waits so many seconds.
    private static let noticeSeconds = 300
    /// Of the original so many bytes at most are read for its header.
    private static let headLimit = 1 << 16

    /// Start telling senders.
    func startNotices(now: Int) {
        while let notice = notices.next(now: now) {
            let queue = queue(notice.key)
            do throws(Errno) {
                try start(notice)
            } catch {
                log.warning("unable to bounce", notice.key.id, error.text, queue.name)
                putOff(notice.key, isBare: notice.isBare)
            }
        }
    }

    private func start(_ notice: Notices.Waiting) throws(Errno) {
        let key = notice.key
        let queue = queue(key)
        guard let records = try queue.notice(key.id) else { return try finish(key) }
        guard let stored = try queue.information(key.id), let message = try queue.message(key.id)
        else {
            log.warning("files are gone of", key.id, [UInt8]("nobody is told"), queue.name)
            return try finish(key)
        }
        if try queue.isComingIn(key.id) {
            let time = Clock.seconds + Self.lockSeconds
            return notices.add(key, at: time, isBare: notice.isBare)
        }
        guard let (sender, recipient) = addresses(stored.sender, key) else {
            return try finish(key)
        }
        var text = NoticeMessage(
            host: settings.me, from: settings.bounceFrom, to: recipient,
            originalSender: stored.sender, records: NoticeRecord.records(records),
            notifications: stored.notifications, arrival: message.modified, now: Clock.seconds,
            serial: Int32(truncatingIfNeeded: Int(key.id)), original: try head(queue, key.id))
        text.isBare = notice.isBare
        let envelope =
            [UInt8(ascii: "F")] + sender + [0, UInt8(ascii: "T")] + recipient + [0, 0]
        let messageFile = try Self.memory(text.bytes)
        let envelopeFile = try Self.memory(envelope)
        let child = try Launch(
            instance.qmailQueue, arguments: [instance.qmailQueue],
            environment: Environment.current,
            descriptors: [messageFile.rawValue, envelopeFile.rawValue, 2]
        ).start()
        // The child has its own.
        try messageFile.close()
        try envelopeFile.close()
        notices.runs.append(Notices.Run(key: key, isBare: notice.isBare, child: child))
    }

    /// From whom the notice comes and who gets it; nil, with a line in the log, when nobody does.
    private func addresses(
        _ sender: [UInt8], _ key: MessageKey
    ) -> (sender: [UInt8], recipient: [UInt8])? {
        let doubleBounce = [UInt8]("#@[]")
        if sender.elementsEqual(doubleBounce) {
            log.discarding("triple bounce", key.id, queue(key).name)
            return nil
        }
        if sender.isEmpty {
            guard let postmaster = settings.doubleBounceTo else {
                log.discarding("double bounce", key.id, queue(key).name)
                return nil
            }
            return (doubleBounce, postmaster)
        }
        // A list's sender is told at the address that stands for all.
        let ending = [UInt8]("-@[]")
        let isList =
            sender.count > ending.count && sender.suffix(ending.count).elementsEqual(ending)
        return ([], isList ? Array(sender.dropLast(ending.count)) : sender)
    }

    private func head(_ queue: SendQueue, _ id: UInt64) throws(Errno) -> [UInt8] {
        let file = try FileDescriptor.open(queue.directory.file("mess", id), .readNonBlocking)
        var buffer = [UInt8](repeating: 0, count: Self.headLimit)
        let count = try file.read(into: &buffer)
        return Array(buffer[..<count])
    }

    private static func memory(_ bytes: [UInt8]) throws(Errno) -> FileDescriptor {
        let file = try FileDescriptor.inMemory()
        try file.write(bytes)
        try file.seek(to: 0)
        return file
    }

    /// A run of qmail-queue has ended.
    func endNotice(_ child: Child, _ ending: Child.Ending) {
        guard let run = notices.ended(child) else { return }
        let queue = queue(run.key)
        guard ending == .exited(QueueExit.queued.rawValue) else {
            var reason = [UInt8]("qmail-queue was killed")
            var isFinal = false
            if case .exited(let code) = ending {
                reason = [UInt8]("qmail-queue exits with ")
                reason.append(decimal: code)
                let exit = QueueExit(rawValue: code)
                reason += exit.map { [UInt8](", ") + [UInt8]($0.text) } ?? []
                isFinal = !(exit?.isTemporary ?? QueueExit.isTemporary(unknown: code))
            }
            log.warning("unable to bounce", run.key.id, reason, queue.name)
            if isFinal { refused(run) } else { putOff(run.key, isBare: run.isBare) }
            return
        }
        log.bounce(run.key.id, process: child.identifier, queue.name)
        finishOrTryAgain(run.key)
    }

    /// What is refused once is refused always: then the words of others are left out, and if it is not they, it ends.
    private func refused(_ run: Notices.Run) {
        if !run.isBare { return notices.add(run.key, isBare: true) }
        log.discarding("refused notice", run.key.id, queue(run.key).name)
        finishOrTryAgain(run.key)
    }

    /// Try again later, but not for ever: a notice has as long as a message.
    private func putOff(_ key: MessageKey, isBare: Bool) {
        let now = Clock.seconds
        var end = now + settings.queueLifetime
        do throws(Errno) {
            if let start = try queue(key).noticeTime(key.id) {
                end = start + settings.queueLifetime
            }
        } catch {
            log.warning("unable to look at bounce/ of", key.id, error.text, queue(key).name)
        }
        if now < end {
            return notices.add(key, at: min(now + Self.noticeSeconds, end), isBare: isBare)
        }
        log.discarding("expired notice", key.id, queue(key).name)
        finishOrTryAgain(key)
    }

    private func finishOrTryAgain(_ key: MessageKey) {
        do throws(Errno) { try finish(key) } catch {
            log.warning("unable to remove bounce/ of", key.id, error.text, queue(key).name)
            notices.add(key, at: Clock.seconds + Self.noticeSeconds)
        }
    }

    private func finish(_ key: MessageKey) throws(Errno) {
        try queue(key).removeNotice(key.id)
        try endSettled(key)
    }
}
