import ByteText
import Envelope
import Posix
import Routing
import Schedule
import SendQueue

// How a message comes out of todo/.
extension Sender {
    /// Take a message of todo/ over, unless it is known.
    ///
    /// One with a single recipient stays in todo/ until it has been tried: mostly that is all, and its files in
    /// info/ and local/ need never be made.
    func takeIn(_ key: MessageKey) {
        if fresh.contains(key) {
            again.insert(key)
            return
        }
        let queue = queue(key)
        do throws(Errno) {
            guard let envelope = try queue.queued(key.id) else { return }
            guard let message = try queue.message(key.id) else {
                log.warning(
                    "no mess file for the envelope in todo,", key.id, [UInt8]("left there"),
                    queue.name)
                return
            }
            if try finishTakeOver(key, envelope, birth: message.modified) { return }
            log.newMessage(key.id, queue.name)
            log.information(
                key.id, bytes: message.size, sender: envelope.sender, process: envelope.process,
                user: envelope.user, queue.name)
            fresh.insert(key)
            var recipients = envelope.recipients
            let first = recipients.next()
            if let first, recipients.next() == nil {
                let route = settings.routing.route(first.address)
                begin(
                    key, envelope, to: first, route, birth: message.modified)
            } else {
                try settle(key, envelope, due: 0)
            }
        } catch {
            trouble("unable to take over", key, error)
        }
    }

    /// A message of todo/ that is in info/ as well: the process ended before it was removed from todo/.
    ///
    /// - Returns: False when it is new; then no other message's files have its number any more.
    private func finishTakeOver(
        _ key: MessageKey, _ envelope: StoredEnvelope, birth: Int
    ) throws(Errno) -> Bool {
        let queue = queue(key)
        if !broken.contains(key), try queue.isSettled(key.id, envelope, birth: birth) {
            fresh.insert(key)
            remove(key, .todo)
            return true
        }
        // What a broken take-over left behind, or a message that had this number before and whose mess file was taken
        // away: its sender and recipients have nothing to do with this one.
        let hadInformation = try queue.removeInformation(key.id)
        let hadRemains = try queue.removeRemains(key.id)
        if hadInformation || hadRemains { forgetOld(key) }
        if hadInformation, !broken.contains(key) {
            log.warning(
                "files of an older message without mess file are gone,", key.id,
                [UInt8]("its number is a new message's now"), queue.name)
        }
        broken.remove(key)
        return false
    }

    /// Forget what is still to be done for a message that had this number before.
    private func forgetOld(_ key: MessageKey) {
        withLane(.local) { $0.forget(key) }
        withLane(.remote) { $0.forget(key) }
        notices.forget(key)
        ended.remove(key)
        unclosed.removeAll { $0 == key }
    }

    /// Start at once when nothing waits, else remember when it came.
    private func begin(
        _ key: MessageKey, _ envelope: StoredEnvelope, to recipient: StoredRecipient,
        _ route: Routing.Route, birth: Int
    ) {
        let channel: Channel = route.isLocal ? .local : .remote
        let mayStart = withLane(channel) {
            $0.hasRoom && $0.untried.count == 0 && $0.open.isEmpty && !isStopping
        }
        if mayStart {
            openFresh(key, envelope, birth: birth, channel)
        } else {
            withLane(channel) { $0.untried.insert(DueMessage(key, at: birth, isFresh: true)) }
        }
    }

    /// Write the message's recipients into local/ and remote/ and itself into info/; when that is on the disk it goes from
    /// todo/ and its recipients are due.
    ///
    /// - Parameters:
    ///   - key: The message.
    ///   - envelope: Its records in todo/.
    ///   - due: When its recipients are to be tried, in seconds since 1970.
    ///   - wasTried: Whether its first attempt is over.
    /// - Throws: When a file cannot be written; then it is still in todo/.
    func settle(
        _ key: MessageKey, _ envelope: StoredEnvelope, due: Int, wasTried: Bool = false
    ) throws(Errno) {
        let queue = queue(key)
        var records: [[UInt8]] = [[], []]
        var recipients = envelope.recipients
        while let recipient = recipients.next() {
            let route = settings.routing.route(recipient.address)
            records[route.isLocal ? 0 : 1] += EnvelopeWriter.record(
                of: route.address, recipient.notifications)
        }
        var parts: [(channel: Channel, records: [UInt8], due: Int)] = []
        if !records[0].isEmpty { parts.append((.local, records[0], due)) }
        if !records[1].isEmpty { parts.append((.remote, records[1], due)) }
        do throws(Errno) {
            try queue.prepare(key.id, information: envelope.informationRecords, recipients: parts)
        } catch {
            broken.insert(key)
            throw error
        }
        sync(
            key, .takeOver(local: !records[0].isEmpty, remote: !records[1].isEmpty),
            .takeOver(parts.map { $0.channel }, due: due, wasTried: wasTried))
    }

    /// The message is in info/ and on the disk.
    func takenOver(_ key: MessageKey, _ channels: [Channel], due: Int) {
        settled(key)
        remove(key, .todo)
        for channel in channels {
            let message = DueMessage(key, at: due, isFresh: false)
            withLane(channel) {
                if due == 0 { $0.untried.insert(message) } else { $0.deferred.insert(message) }
            }
        }
        if channels.isEmpty { end(key) }
    }

    /// Its files are whole: what is in info/ counts.
    func settled(_ key: MessageKey) {
        broken.remove(key)
        if scan.isReadingInformation { settledMeanwhile.insert(key) }
    }

    /// The message stays in todo/, where nothing is lost.
    func notTakenOver(
        _ key: MessageKey, due: Int, wasTried: Bool, _ channels: [Channel], _ reason: Errno
    ) {
        if !wasTried { return trouble("unable to take over", key, reason) }
        log.warning("unable to take over", key.id, reason.text, queue(key).name)
        guard let channel = channels.first else { return }
        withLane(channel) { $0.deferred.insert(DueMessage(key, at: due, isFresh: true)) }
    }

    /// A message that was in info/ when the process started.
    func resume(_ key: MessageKey) {
        if settledMeanwhile.contains(key) || broken.contains(key) || syncs.isTakingOver(key) {
            return
        }
        let queue = queue(key)
        do throws(Errno) {
            guard try queue.settled(key.id) != nil else { return }
            guard try queue.message(key.id) != nil else { return try forget(key) }
            // When that is committed this is forgotten.
            if try queue.isComingIn(key.id) {
                return postpone(key, [.local, .remote], seconds: Self.lockSeconds)
            }
            var hasRecipients = false
            for channel in [Channel.local, .remote] {
                guard let due = try queue.due(key.id, channel) else { continue }
                hasRecipients = true
                withLane(channel) { $0.deferred.insert(DueMessage(key, at: due, isFresh: false)) }
            }
            if !hasRecipients {
                end(key)
            } else if let known = try queue.noticeTime(key.id) {
                tellSoon(key, birth: known)
            }
        } catch {
            log.warning("unable to read the files of", key.id, error.text, queue.name)
            postpone(key, [.local, .remote])
        }
    }

    /// A message of info/ whose mess file is gone: when nothing was left to do for it, neither is info/ any use.
    private func forget(_ key: MessageKey) throws(Errno) {
        let queue = queue(key)
        let local = try queue.due(key.id, .local)
        let remote = try queue.due(key.id, .remote)
        let notice = try queue.notice(key.id)
        if local == nil, remote == nil, notice == nil {
            // Not qmail-clean's: a mess file with this number would be a new message's.
            _ = try queue.removeInformation(key.id)
        } else {
            log.warning("no mess file of", key.id, [UInt8]("left in info/"), queue.name)
        }
    }

    /// Say that something failed for a message and that it will be looked for again.
    func trouble(_ what: StaticString, _ key: MessageKey, _ reason: Errno) {
        log.warning(what, key.id, reason.text, queue(key).name)
        fresh.remove(key)
        // A damaged envelope does not mend itself.
        if reason != .invalid { nextLook = min(nextLook, Clock.seconds + Self.troubleSeconds) }
    }

    /// Try a message of info/ again when there may be less trouble.
    func postpone(
        _ key: MessageKey, _ channels: [Channel], seconds: Int = Sender.troubleSeconds
    ) {
        let message = DueMessage(key, at: Clock.seconds + seconds, isFresh: false)
        for channel in channels { withLane(channel) { $0.deferred.insert(message) } }
    }
}
