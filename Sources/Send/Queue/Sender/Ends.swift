import ByteText
import Posix
import Schedule
import SendQueue

// How a message leaves the process: deferred until later, or for good.
extension Sender {
    /// Close a job of which nothing is to be started or reported any more.
    func finishIfDone(_ channel: Channel, _ index: Int) {
        guard let job = withLane(channel, { $0.jobs[index] }), job.running == 0,
            job.position >= job.recipients.count
                || !StoredRecipients(job.recipients, from: job.position).hasMore
        else { return }
        withLane(channel) { $0.jobs[index] = nil }
        if job.isOld { return }
        if job.isFresh {
            finishFresh(job, channel)
        } else {
            finishSettled(job, channel)
        }
    }

    private func finishFresh(_ job: Job, _ channel: Channel) {
        let key = job.key
        if !job.isDeferred {
            if job.hasNotice { close(key) } else { endFresh(key, job.process) }
            return
        }
        let due = RetryCurve.next(birth: job.birth, now: Clock.seconds, channel: channel)
        do throws(Errno) {
            guard let envelope = try queue(key).queued(key.id) else {
                fresh.remove(key)
                return
            }
            try settle(key, envelope, due: due, wasTried: true)
        } catch {
            notTakenOver(key, due: due, wasTried: true, [channel], error)
        }
    }

    private func finishSettled(_ job: Job, _ channel: Channel) {
        let queue = queue(job.key)
        do throws(Errno) {
            if job.isDeferred {
                let due = RetryCurve.next(
                    birth: job.birth, now: Clock.seconds, channel: channel)
                let message = DueMessage(job.key, at: due, isFresh: false)
                withLane(channel) { $0.deferred.insert(message) }
                try queue.setDue(job.key.id, channel, due)
            } else if try !queue.removeRecipients(job.key.id, channel) {
                end(job.key)
            }
        } catch {
            log.warning("unable to change the files of", job.key.id, error.text, queue.name)
            if !job.isDeferred { postpone(job.key, [channel]) }
        }
    }

    /// All recipients of a message of info/ are done with: tell the sender what there is to tell, then forget it.
    func end(_ key: MessageKey) {
        if fresh.contains(key) {
            // Without info/ what is still in todo/ would be new to the next process.
            ended.insert(key)
            return
        }
        do throws(Errno) {
            if try queue(key).notice(key.id) != nil {
                notices.add(key)
            } else {
                try endSettled(key)
            }
        } catch {
            log.warning("unable to end", key.id, error.text, queue(key).name)
            postpone(key, [.local])
        }
    }

    /// Forget a message of info/; the mess file goes last, for it keeps the number from being used again.
    func endSettled(_ key: MessageKey) throws(Errno) {
        _ = try queue(key).removeInformation(key.id)
        remove(key, .mess)
        log.endMessage(key.id, queue(key).name)
    }

    /// Forget a message that never came into info/; the log says so when it is removed.
    private func endFresh(_ key: MessageKey, _ process: Int) {
        if broken.contains(key) {
            do throws(Errno) {
                _ = try queue(key).removeInformation(key.id)
                _ = try queue(key).removeRemains(key.id)
                broken.remove(key)
            } catch {
                // They would be another message's one day.
                return waitToClose(key, error)
            }
        }
        remove(Removals.Removal(key: key, what: .all, process: process))
    }

    /// Move a message of which nobody is left from todo/ into info/, so that nobody gets it again whatever happens.
    func close(_ key: MessageKey) {
        do throws(Errno) {
            if try prepareToClose(key, nil) {
                sync(key, .takeOver(local: false, remote: false), .close)
            } else {
                fresh.remove(key)
            }
        } catch {
            waitToClose(key, error)
        }
    }

    /// It is in info/, on the disk and without recipients.
    func closed(_ key: MessageKey) {
        settled(key)
        ended.insert(key)
        remove(key, .todo)
    }

    /// Whether it is in todo/; with a process only what that one has queued is meant.
    private func prepareToClose(_ key: MessageKey, _ process: Int?) throws(Errno) -> Bool {
        let queue = queue(key)
        guard let envelope = try queue.queued(key.id) else { return false }
        // qmail-clean may have removed it before it failed, and another message have its number.
        if let process, envelope.process != process { return false }
        try queue.prepare(key.id, information: envelope.informationRecords, recipients: [])
        return true
    }

    /// The same at once, when qmail-clean cannot do its work; whether it was in todo/.
    private func closeFiles(_ key: MessageKey, _ process: Int?) throws(Errno) -> Bool {
        guard try prepareToClose(key, process) else { return false }
        try UnsyncedFiles.takeOver(local: false, remote: false).sync(in: queue(key), key.id)
        settled(key)
        return true
    }

    /// Try to close it again later.
    func waitToClose(_ key: MessageKey, _ reason: Errno) {
        log.warning("unable to end", key.id, reason.text, queue(key).name)
        unclosed.append(key)
        nextRemovals = Clock.seconds + Self.troubleSeconds
    }

    /// Ask qmail-clean.
    func remove(_ key: MessageKey, _ what: Removals.What) {
        remove(Removals.Removal(key: key, what: what, process: 0))
    }

    private func remove(_ removal: Removals.Removal) {
        if removal.what == .mess || removal.what == .lost { leaving.insert(removal.key) }
        if removals.isLost { return giveUp(removal) }
        removals.ask(removal, queue: queue(removal.key).name)
    }

    /// qmail-clean is gone: what it was asked for is for the next process.
    func loseCleaner() {
        for removal in removals.lose() { giveUp(removal) }
    }

    private func giveUp(_ removal: Removals.Removal) {
        guard removal.what == .all else { return }
        do throws(Errno) {
            _ = try closeFiles(removal.key, removal.process)  // Not in todo/ is as good.
        } catch {
            log.warning(
                "unable to remember the end of", removal.key.id, error.text,
                queue(removal.key).name)
        }
    }

    /// Take qmail-clean's answers, `+` or `x` each.
    func takeRemovals(_ answers: ArraySlice<UInt8>) {
        for answer in answers {
            guard let removal = removals.next() else { continue }
            if answer == UInt8(ascii: "+") {
                takeRemoval(removal)
            } else {
                takeFailure(removal)
            }
        }
    }

    private func takeRemoval(_ removal: Removals.Removal) {
        let key = removal.key
        switch removal.what {
        case .left: return
        case .mess, .lost: leaving.remove(key)
        case .all:
            log.endMessage(key.id, queue(key).name)
            fresh.remove(key)
        case .todo: fresh.remove(key)
        }
        if ended.contains(key) {
            ended.remove(key)
            end(key)
        }
        if again.contains(key) {
            again.remove(key)
            takeIn(key)
        }
    }

    private func takeFailure(_ removal: Removals.Removal) {
        let key = removal.key
        if removal.what == .lost || removal.what == .left {
            // They are looked for again tomorrow.
            log.warning("unable to remove what a crash left", nil, [], queue(key).name)
            leaving.remove(key)
            return
        }
        log.warning(
            "unable to remove the files of", key.id, [UInt8]("will try again"), queue(key).name)
        nextRemovals = Clock.seconds + Self.troubleSeconds
        do throws(Errno) {
            // What stays in todo/ must not be new to the next process.
            if removal.what == .all, try closeFiles(key, removal.process) {
                ended.insert(key)
                removals.failed.append(Removals.Removal(key: key, what: .todo, process: 0))
                return
            }
        } catch {
            log.warning("unable to remember the end of", key.id, error.text, queue(key).name)
        }
        removals.failed.append(removal)
    }

    /// Try once more what could not be done.
    func retryRemovals() {
        let failed = removals.failed
        removals.failed = []
        for removal in failed { remove(removal) }
        let waiting = unclosed
        unclosed = []
        for key in waiting { close(key) }
    }
}
