import Bounce
import ByteText
import ControlFiles
import Envelope
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
        /// Whether others of the message's recipients are still tried.
        let isPartial: Bool
    }

    struct Run {
        let key: MessageKey
        let isBare: Bool
        /// Of a notice before the last one: where in bounce/ the records are that it tells of.
        let told: [Int]?
        let child: Child
        /// Whether nobody is left to be tried meanwhile.
        var isOver = false

        /// The same once more.
        var waiting: Waiting {
            Waiting(key: key, time: 0, isBare: isBare, isPartial: told != nil && !isOver)
        }
    }

    private var waiting: [Waiting] = []
    /// Those in `waiting`.
    private var known = MessageSet()
    var runs: [Run] = []
    /// A run scans the notice as every message, so there are few at once.
    private static let limit = 4

    /// Add a message, unless it is there: a sender is told once.
    ///
    /// One of whose recipients nobody is left to be tried takes the place of the one before that.
    mutating func add(
        _ key: MessageKey, at time: Int = 0, isBare: Bool = false, isPartial: Bool = false
    ) {
        if let i = runs.firstIndex(where: { $0.key == key }) {
            if !isPartial { runs[i].isOver = true }
            return
        }
        let new = Waiting(key: key, time: time, isBare: isBare, isPartial: isPartial)
        if known.insert(key) { return waiting.append(new) }
        if !isPartial, let i = waiting.firstIndex(where: { $0.key == key && $0.isPartial }) {
            waiting[i] = new
        }
    }

    /// Tell nobody of a message that is gone; what a run of qmail-queue for it says is not heard.
    mutating func forget(_ key: MessageKey) {
        waiting.removeAll { $0.key == key }
        known.remove(key)
        runs.removeAll { $0.key == key }
    }

    /// Let all be told at once.
    mutating func makeAllDue() {
        waiting = waiting.map {
            Waiting(key: $0.key, time: 0, isBare: $0.isBare, isPartial: $0.isPartial)
        }
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
    /// Seconds that the next run waits after one that failed.
    private static let noticeSeconds = 300
    /// The most bytes of the original that are read for its header.
    private static let headLimit = 1 << 16

    /// A sender hears of a recipient after as many seconds as the message is old, but within these, though others are
    /// still tried: those who have failed by then are in one notice.
    private static let shortestDelay = 30
    private static let longestDelay = 600

    /// Have the sender told of what is known, though recipients are left.
    func tellSoon(_ key: MessageKey, birth: Int) {
        let now = Clock.seconds
        let delay = min(max(now - birth, Self.shortestDelay), Self.longestDelay)
        notices.add(key, at: now + delay, isPartial: true)
    }

    /// Start telling senders.
    func startNotices(now: Int) {
        while let notice = notices.next(now: now) {
            let queue = queue(notice.key)
            do throws(Errno) {
                try start(notice)
            } catch {
                log.warning("unable to bounce", notice.key.id, error.text, queue.name)
                putOff(notice)
            }
        }
    }

    private func start(_ notice: Notices.Waiting) throws(Errno) {
        let key = notice.key
        let queue = queue(key)
        let records = NoticeRecord.untold(try queue.notice(key.id) ?? [])
        guard let first = records.first else { return try finish(notice, []) }
        let offsets = records.map { $0.offset }
        guard let stored = try queue.information(key.id), let message = try queue.message(key.id)
        else {
            log.warning("files are gone of", key.id, [UInt8]("nobody is told"), queue.name)
            return try finish(notice, offsets)
        }
        if try queue.isComingIn(key.id) {
            let time = Clock.seconds + Self.lockSeconds
            return notices.add(key, at: time, isBare: notice.isBare)
        }
        guard let (sender, recipient) = addresses(stored.sender, key) else {
            return try finish(notice, offsets)
        }
        var text = NoticeMessage(
            host: settings.me, from: settings.bounceFrom, to: recipient,
            originalSender: stored.sender, records: records.map { $0.record },
            notifications: stored.notifications, arrival: message.modified, now: Clock.seconds,
            serial: Int32(truncatingIfNeeded: Int(key.id)), original: try head(queue, key.id))
        text.isBare = notice.isBare
        text.isPartial = notice.isPartial
        text.part = first.offset - 1
        let envelope = EnvelopeWriter.bytes(from: sender, to: [recipient])
        notices.runs.append(
            Notices.Run(
                key: key, isBare: notice.isBare, told: notice.isPartial ? offsets : nil,
                child: try submit(text.bytes, envelope)))
    }

    /// Start qmail-queue with a notice.
    private func submit(_ text: [UInt8], _ envelope: [UInt8]) throws(Errno) -> Child {
        let messageFile = try Self.memory(text)
        let envelopeFile = try Self.memory(envelope)
        let child = try Launch(
            instance.qmailQueue, arguments: [instance.qmailQueue],
            environment: Environment.current,
            descriptors: [messageFile.rawValue, envelopeFile.rawValue, 2]
        ).start()
        // The child has its own.
        try messageFile.close()
        try envelopeFile.close()
        return child
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
            var isFinal = false
            if case .exited(let code) = ending {
                isFinal =
                    !(QueueExit(rawValue: code)?.isTemporary
                    ?? QueueExit.isTemporary(unknown: code))
            }
            log.warning("unable to bounce", run.key.id, Self.text(of: ending), queue.name)
            if isFinal {
                refused(run)
            } else {
                putOff(run.waiting)
            }
            return
        }
        log.bounce(run.key.id, process: child.identifier, queue.name)
        finishOrTryAgain(run)
    }

    /// What is refused once is refused always: then the words of others are left out, and if it is not they, it ends.
    private func refused(_ run: Notices.Run) {
        if !run.isBare {
            return notices.add(run.key, isBare: true, isPartial: run.waiting.isPartial)
        }
        log.discarding("refused notice", run.key.id, queue(run.key).name)
        finishOrTryAgain(run)
    }

    /// Try again later, but not for ever: a notice has as long as a message.
    private func putOff(_ notice: Notices.Waiting) {
        let key = notice.key
        let now = Clock.seconds
        var end = now + settings.queueLifetime
        do throws(Errno) {
            if let start = try queue(key).noticeTime(key.id) {
                end = start + settings.queueLifetime
            }
        } catch {
            log.warning("unable to look at bounce/ of", key.id, error.text, queue(key).name)
        }
        // What has expired while others are tried is discarded with the last notice.
        if now < end || notice.isPartial {
            let next = now + Self.noticeSeconds
            return notices.add(
                key, at: notice.isPartial ? next : min(next, end), isBare: notice.isBare,
                isPartial: notice.isPartial)
        }
        log.discarding("expired notice", key.id, queue(key).name)
        finishOrTryAgain(key)
    }

    /// The sender knows of these, or nobody is to be told of them: they are not told again.
    private func finishOrTryAgain(_ run: Notices.Run) {
        guard let told = run.told else { return finishOrTryAgain(run.key) }
        let queue = queue(run.key)
        do throws(Errno) {
            try queue.markTold(run.key.id, told, tag: NoticeRecord.toldTag)
        } catch {
            log.warning(
                "unable to mark in bounce/ what a sender was told, who may be told twice,",
                run.key.id, error.text, queue.name)
        }
        if run.isOver { return end(run.key) }
        do throws(Errno) {
            // Others may have failed meanwhile.
            if let bytes = try queue.notice(run.key.id), !NoticeRecord.untold(bytes).isEmpty,
                let message = try queue.message(run.key.id)
            {
                tellSoon(run.key, birth: message.modified)
            }
        } catch {
            log.warning("unable to look at bounce/ of", run.key.id, error.text, queue.name)
        }
    }

    /// Nobody is told of the records at these offsets.
    private func finish(_ notice: Notices.Waiting, _ offsets: [Int]) throws(Errno) {
        if !notice.isPartial { return try finish(notice.key) }
        if offsets.isEmpty { return }
        try queue(notice.key).markTold(notice.key.id, offsets, tag: NoticeRecord.toldTag)
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
