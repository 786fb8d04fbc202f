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
        if job.isFresh {
            finishFresh(job, channel)
        } else {
            finishSettled(job, channel)
        }
    }

    private func finishFresh(_ job: Job, _ channel: Channel) {
        let key = job.key
        if !job.isDeferred {
            if job.hasNotice { notices.add(key, isFresh: true) } else { endFresh(key) }
            return
        }
        let due = RetryCurve.next(birth: job.birth, now: Clock.seconds, channel: channel)
        do throws(Errno) {
            guard let envelope = try queue(key).queued(key.id) else {
                fresh.remove(key)
                return
            }
            try settle(key, envelope, due: due)
        } catch {
            // It stays in todo/, where nothing is lost.
            log.warning("unable to take over", key.id, error.text, queue(key).name)
            withLane(channel) { $0.deferred.insert(DueMessage(key, at: due, isFresh: true)) }
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
        do throws(Errno) {
            if try queue(key).notice(key.id) != nil {
                notices.add(key, isFresh: false)
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
        try queue(key).removeInformation(key.id)
        remove(key, .mess)
        log.endMessage(key.id, queue(key).name)
    }

    /// Forget a message that never came into info/.
    func endFresh(_ key: MessageKey) {
        remove(key, .all)
        log.endMessage(key.id, queue(key).name)
    }

    /// Ask qmail-clean.
    func remove(_ key: MessageKey, _ what: Removals.What) {
        removals.ask(Removals.Removal(key: key, what: what), queue: queue(key).name)
    }

    /// Take qmail-clean's answers, `+` or `x` each.
    func takeRemovals(_ answers: ArraySlice<UInt8>) {
        for answer in answers {
            guard let removal = removals.next() else { continue }
            let key = removal.key
            if answer != UInt8(ascii: "+") {
                // What stays in todo/ must not be taken for new.
                log.warning(
                    "unable to remove the files of", key.id, [UInt8]("will try again"),
                    queue(key).name)
                removals.failed.append(removal)
                nextRemovals = Clock.seconds + Self.troubleSeconds
                continue
            }
            if removal.what != .mess { fresh.remove(key) }
            if let i = again.firstIndex(where: { $0 == key }) {
                again.remove(at: i)
                takeIn(key, mayBeSettled: removal.what == .todo)
            }
        }
    }

    /// Ask once more for what could not be removed.
    func retryRemovals() {
        let failed = removals.failed
        removals.failed = []
        for removal in failed { remove(removal.key, removal.what) }
    }
}
