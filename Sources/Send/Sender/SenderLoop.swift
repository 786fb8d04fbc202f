import ByteText
import ControlFiles
import DeliveryReport
import Posix
import Schedule
import SendQueue

// What the process waits for, and in which order it acts.
extension Sender {
    /// How many files of folders are looked at between deliveries.
    private static let scanStep = 256

    /// Run until SIGTERM, then until all deliveries have been reported.
    ///
    /// - Returns: The exit code of qmail-send(8).
    func run() -> Int32 {
        while true {
            let now = Clock.seconds
            lookAround(now)
            startDeliveries(.local, now: now)
            startDeliveries(.remote, now: now)
            if !isStopping { startNotices(now: now) }
            if let lost = flushPipes() { return stop(without: lost) }
            log.flush()
            if isStopping, isIdle {
                log.line([UInt8]("status: exiting"))
                log.flush()
                return 0
            }
            if let lost = wait(now) { return stop(without: lost) }
        }
    }

    private var isIdle: Bool {
        local.running == 0 && remote.running == 0 && removals.isEmpty && notices.runs.isEmpty
    }

    private func stop(without program: StaticString) -> Int32 {
        log.line([UInt8]("alert: ") + [UInt8](program) + [UInt8](" is gone, cannot go on"))
        log.flush()
        return SendProgram.unable
    }

    /// A piece of the folders, and what is to be done now and then.
    private func lookAround(_ now: Int) {
        if isStopping { return }
        if now >= nextLook {
            nextLook = now + Self.lookSeconds
            if scan.isOver { scan.begin(queues, isFirst: false) }
        }
        if now >= nextCleaning {
            nextCleaning = now + Self.cleaningSeconds
            scan.beginCleaning(queues)
        }
        if !removals.failed.isEmpty, now >= nextRemovals { retryRemovals() }
        for _ in 0..<Self.scanStep where !scan.isOver {
            do throws(Errno) {
                guard let found = try scan.next(queues), let key = key(found.queue, found.id)
                else { continue }
                switch found.folder {
                case .todo: if !fresh.contains(key) { takeIn(key, mayBeSettled: true) }
                case .info: resume(key)
                case .mess: clearAbandoned(key, now)
                }
            } catch {
                log.line([UInt8]("warning: unable to read a folder of a queue: ") + error.text)
                nextLook = min(nextLook, now + Self.troubleSeconds)
            }
        }
        if !scan.isReadingInformation, settledMeanwhile.count > 0 {
            settledMeanwhile = MessageSet()
        }
    }

    /// Seconds after which a mess file that belongs to no message is one that a crash left; qmail-queue(8) ends before.
    private static let abandonedSeconds = 129_600

    private func clearAbandoned(_ key: MessageKey, _ now: Int) {
        let queue = queue(key)
        do throws(Errno) {
            guard !fresh.contains(key), let message = try queue.message(key.id),
                now - message.modified > Self.abandonedSeconds,
                try queue.queued(key.id) == nil, try queue.settled(key.id) == nil
            else { return }
            remove(key, .mess)
        } catch {
            // It is looked at again tomorrow.
            log.warning("unable to look at", key.id, error.text, queue.name)
        }
    }

    /// Write to the pipes; the name of a program that is gone, or nil.
    private func flushPipes() -> StaticString? {
        do throws(Errno) { try local.output.flush() } catch { return "qmail-lspawn" }
        do throws(Errno) { try remote.output.flush() } catch { return "qmail-rspawn" }
        do throws(Errno) { try removals.output.flush() } catch { return "qmail-clean" }
        return nil
    }

    /// Wait for something and act on it; the name of a program that is gone, or nil.
    private func wait(_ now: Int) -> StaticString? {
        var wanted: [(fd: Int32, interest: Polling.Interest)] = [
            (signals.rawValue, .readable), (local.input.rawValue, .readable),
            (remote.input.rawValue, .readable), (removals.input.rawValue, .readable),
        ]
        let fixed = wanted.count
        if !isStopping { wanted += newMail.descriptors.map { ($0, .readable) } }
        let outputs = wanted.count
        for waiting in [local.output.waiting, remote.output.waiting, removals.output.waiting] {
            if let waiting { wanted.append((waiting, .writable)) }
        }
        let ready: [Int]
        do throws(Errno) {
            ready = try Polling.waitForSome(
                wanted, until: Deadline(milliseconds: scan.isOver || isStopping ? pause(now) : 0))
        } catch {
            // There is no memory for poll(2) now.
            Clock.sleep(milliseconds: 1000)
            return nil
        }
        if ready.contains(0) { takeSignals() }
        if ready.contains(1), !takeReports(.local) { return "qmail-lspawn" }
        if ready.contains(2), !takeReports(.remote) { return "qmail-rspawn" }
        if ready.contains(3) {
            guard let answers = Self.input(removals.input) else { return "qmail-clean" }
            takeRemovals(answers[...])
        }
        if ready.contains(where: { $0 >= fixed && $0 < outputs }) { takeNewMail() }
        return nil
    }

    /// Milliseconds until something is due.
    private func pause(_ now: Int) -> Int {
        if isStopping { return 1000 }
        var next = min(nextLook, nextCleaning)
        if local.hasRoom { next = min(next, local.nextTime ?? next) }
        if remote.hasRoom { next = min(next, remote.nextTime ?? next) }
        next = min(next, notices.nextTime ?? next)
        if !removals.failed.isEmpty { next = min(next, nextRemovals) }
        return max(0, next - now) * 1000
    }

    private func takeNewMail() {
        for event in newMail.events() {
            switch event {
            case .message(let queue, let id):
                if let key = key(queue, id) { takeIn(key, mayBeSettled: false) }
            case .look:
                if scan.isOver { scan.begin(queues, isFirst: false) }
            }
        }
    }

    /// What a program of ours has written; nil when it is gone.
    private static func input(_ input: borrowing FileDescriptor) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        do throws(Errno) {
            let count = try input.read(into: &buffer)
            return count == 0 ? nil : Array(buffer[..<count])
        } catch {
            return error == .wouldBlock ? [] : nil
        }
    }

    private func takeReports(_ channel: Channel) -> Bool {
        guard let bytes = channel == .local ? Self.input(local.input) : Self.input(remote.input)
        else { return false }
        let reports = withLane(channel) { $0.reader.take(bytes[...]) }
        for report in reports { take(report, channel) }
        return true
    }

    private func takeSignals() {
        do throws(Errno) {
            while let signal = try signals.nextSignal() {
                switch signal {
                case Signal.terminate.number: isStopping = true
                case Signal.alarm.number:
                    local.deferred.makeAllDue()
                    remote.deferred.makeAllDue()
                case Signal.hangUp.number: rereadSettings()
                default: break
                }
            }
        } catch {
            log.line([UInt8]("warning: unable to read a signal: ") + error.text)
        }
        while let ended = Child.nextEnded() {
            endNotice(ended.child, Child.ending(status: ended.status))
        }
    }

    private func rereadSettings() {
        do throws(ControlFailure) {
            settings = try SendSettings(Control(of: instance))
            local.setLimit(settings.concurrency[0])
            remote.setLimit(settings.concurrency[1])
            log.line([UInt8]("status: control files read again"))
        } catch {
            log.line([UInt8]("warning: the old settings stay: ") + error.text)
        }
    }
}
