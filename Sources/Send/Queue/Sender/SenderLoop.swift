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
            if !isStopping {
                startNotices(now: now)
                startScans(now: now)
            }
            flushPipes()
            log.flush()
            if isStopping, isIdle {
                log.line([UInt8]("status: exiting"))
                log.flush()
                return isCrippled ? SendProgram.unable : 0
            }
            wait(now)
        }
    }

    private var isIdle: Bool {
        local.running == 0 && remote.running == 0 && removals.isEmpty && syncs.isEmpty
            && notices.runs.isEmpty
    }

    /// A program is gone: start nothing, but hear what the others have under way, so that nobody gets it twice.
    private func lose(_ program: StaticString) {
        log.line(
            [UInt8]("alert: ") + [UInt8](program)
                + [UInt8](" is gone: will end when the others have reported"))
        isStopping = true
        isCrippled = true
    }

    private func lose(_ channel: Channel) {
        withLane(channel) { $0.lose() }
        lose(channel == .local ? "qmail-lspawn" : "qmail-rspawn")
    }

    private var hasRetries: Bool { !removals.failed.isEmpty || !unclosed.isEmpty }

    /// A piece of the folders, and what is to be done now and then.
    private func lookAround(_ now: Int) {
        if isStopping { return }
        if now >= nextLook {
            nextLook = now + Self.lookSeconds
            if scan.isOver { scan.begin(queues, isFirst: false) }
        }
        if now >= nextCleaning, scan.isOver {
            nextCleaning = now + Self.cleaningSeconds
            scan.beginCleaning(queues)
            for index in queues.indices {
                if let none = key(index, 0) { remove(none, .left) }
            }
        }
        if hasRetries, now >= nextRemovals { retryRemovals() }
        if mustLook, scan.isOver {
            mustLook = false
            scan.begin(queues, isFirst: false)
        }
        for _ in 0..<Self.scanStep where !scan.isOver {
            do throws(Errno) {
                guard let found = try scan.next(queues), let key = key(found.queue, found.id)
                else { continue }
                switch found.folder {
                case .todo: if !fresh.contains(key) { takeIn(key) }
                case .hold: hold(key)
                case .info: resume(key)
                case .mess: clearAbandoned(key)
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

    /// Have a mess file removed that belongs to no message: a crash left it.
    private func clearAbandoned(_ key: MessageKey) {
        let queue = queue(key)
        do throws(Errno) {
            guard !fresh.contains(key), !leaving.contains(key), try queue.settled(key.id) == nil,
                try queue.isAbandoned(key.id), try !queue.isQueued(key.id)
            else { return }
            // Whoever removes it looks again, under the file's lock.
            remove(key, .lost)
        } catch {
            // It is looked at again tomorrow.
            log.warning("unable to look at", key.id, error.text, queue.name)
        }
    }

    private func flushPipes() {
        for channel in [Channel.local, .remote] {
            let isGone = withLane(channel) { !$0.isLost && !$0.output.canFlush() }
            if isGone { lose(channel) }
        }
        if !removals.isLost, !removals.output.canFlush() { loseRemover() }
        if !syncs.isLost, !syncs.output.canFlush() { endSyncer() }
    }

    private func hearRemover() {
        guard let answers = Self.input(removals.input) else { return loseRemover() }
        takeRemovals(answers[...])
    }

    private func hearSyncer() {
        guard let answers = Self.input(syncs.input) else { return endSyncer() }
        takeSyncs(answers)
    }

    private func endSyncer() {
        lose("the process that syncs files")
        loseSyncer()
    }

    private func loseRemover() {
        lose("qmail-clean")
        loseCleaner()
    }

    /// The pipes that could not take all that is to be written.
    private var fullPipes: [Int32] {
        var pipes: [Int32] = []
        if !local.isLost, let pipe = local.output.waiting { pipes.append(pipe) }
        if !remote.isLost, let pipe = remote.output.waiting { pipes.append(pipe) }
        if !removals.isLost, let pipe = removals.output.waiting { pipes.append(pipe) }
        if !syncs.isLost, let pipe = syncs.output.waiting { pipes.append(pipe) }
        return pipes
    }

    /// Wait for something and act on it.
    private func wait(_ now: Int) {
        var wanted: [(fd: Int32, interest: Polling.Interest)] = [
            (signals.rawValue, .readable),
            // Of those that are gone poll(2) takes no notice.
            (local.isLost ? -1 : local.input.rawValue, .readable),
            (remote.isLost ? -1 : remote.input.rawValue, .readable),
            (removals.isLost ? -1 : removals.input.rawValue, .readable),
            (syncs.isLost ? -1 : syncs.input.rawValue, .readable),
        ]
        let fixed = wanted.count
        if !isStopping { wanted += newMail.descriptors.map { ($0, .readable) } }
        let outputs = wanted.count
        wanted += fullPipes.map { ($0, .writable) }
        let ready: [Int]
        do throws(Errno) {
            ready = try Polling.waitForSome(
                wanted, until: Deadline(milliseconds: scan.isOver || isStopping ? pause(now) : 0))
        } catch {
            // There is no memory for poll(2) now.
            Clock.sleep(milliseconds: 1000)
            return
        }
        if ready.contains(0) { takeSignals() }
        if ready.contains(1), !takeReports(.local) { lose(.local) }
        if ready.contains(2), !takeReports(.remote) { lose(.remote) }
        if ready.contains(3) { hearRemover() }
        if ready.contains(4) { hearSyncer() }
        if ready.contains(where: { $0 >= fixed && $0 < outputs }) { takeNewMail() }
    }

    /// Milliseconds until something is due.
    private func pause(_ now: Int) -> Int {
        if isStopping { return 1000 }
        var next = min(nextLook, nextCleaning)
        if local.hasRoom { next = min(next, local.nextTime ?? next) }
        if remote.hasRoom { next = min(next, remote.nextTime ?? next) }
        next = min(next, notices.nextTime ?? next)
        next = min(next, holds.nextTime ?? next)
        if hasRetries { next = min(next, nextRemovals) }
        if mustLook { return 0 }
        return max(0, next - now) * 1000
    }

    private func takeNewMail() {
        for event in newMail.events() {
            switch event {
            case .message(let queue, let id):
                if let key = key(queue, id) { takeIn(key) }
            case .held(let queue, let id):
                if let key = key(queue, id) { hold(key) }
            case .look: mustLook = true
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
                    notices.makeAllDue()
                    holds.makeAllDue()
                    syncs.makeAllDue()
                    // Whatever had trouble is tried again, too.
                    mustLook = true
                    nextRemovals = 0
                case Signal.hangUp.number: rereadSettings()
                default: break
                }
            }
        } catch {
            log.line([UInt8]("warning: unable to read a signal: ") + error.text)
        }
        while let ended = Child.nextEnded() {
            let ending = Child.ending(status: ended.status)
            if !endScan(ended.child, ending) { endNotice(ended.child, ending) }
        }
    }

    private func rereadSettings() {
        do throws(ControlFailure) {
            settings = try SendSettings(Control(of: instance))
            local.setLimit(settings.concurrency[0])
            remote.setLimit(settings.concurrency[1])
            log.line([UInt8]("status: control files read again"))
            for warning in settings.warnings { log.line([UInt8]("warning: ") + warning) }
        } catch {
            log.line([UInt8]("warning: the old settings stay: ") + error.text)
        }
    }
}
