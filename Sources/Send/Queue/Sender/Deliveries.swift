import Bounce
import ByteText
import DeliveryReport
import Envelope
import Posix
import QueueStore
import Routing
import Schedule
import SendQueue

// How recipients are handed to the spawners, and what they report.
extension Sender {
    /// Start what is due as long as there is room.
    func startDeliveries(_ channel: Channel, now: Int) {
        if isStopping { return }
        var prefersOpen = false
        while withLane(channel, { $0.hasRoom }) {
            // Jobs with many recipients and new messages take turns.
            let isOpensTurn = withLane(channel) { prefersOpen || $0.hasManyOpen }
            if isOpensTurn, let index = withLane(channel, { $0.nextOpen() }) {
                startNext(channel, index)
            } else if let message = withLane(channel, { $0.nextDue(now: now) }) {
                if message.isFresh {
                    openFresh(message.key)
                } else {
                    openSettled(message.key, channel)
                }
            } else if let index = withLane(channel, { $0.nextOpen() }) {
                startNext(channel, index)
            } else {
                return
            }
            prefersOpen.toggle()
        }
    }

    /// Open a message that is still in todo/.
    private func openFresh(_ key: MessageKey) {
        let queue = queue(key)
        do throws(Errno) {
            guard let envelope = try queue.queued(key.id), let message = try queue.message(key.id)
            else {
                log.warning("no files of", key.id, [UInt8]("forgotten"), queue.name)
                fresh.remove(key)
                return
            }
            openFresh(key, envelope, birth: message.modified, nil)
        } catch {
            trouble("unable to read", key, error)
        }
    }

    /// Open a message of todo/ with its one recipient.
    func openFresh(_ key: MessageKey, _ envelope: StoredEnvelope, birth: Int, _ known: Channel?) {
        var recipients = envelope.recipients
        guard let recipient = recipients.next() else { return }
        let route = settings.routing.route(recipient.address)
        let channel = known ?? (route.isLocal ? .local : .remote)
        if !withLane(channel, { $0.hasRoom }) {
            // The rules have changed since it came, and on its new channel others are before it.
            withLane(channel) { $0.untried.insert(DueMessage(key, at: birth, isFresh: true)) }
            return
        }
        let job = Job(
            key: key, isFresh: true, sender: envelope.sender, process: envelope.process,
            recipients: EnvelopeWriter.record(of: route.address, recipient.notifications),
            position: 0, birth: birth, isDying: isDying(birth, envelope.sender))
        let index = withLane(channel) { $0.add(job) }
        startNext(channel, index)
    }

    /// Open a message of info/ with its recipients of a channel.
    private func openSettled(_ key: MessageKey, _ channel: Channel) {
        let queue = queue(key)
        do throws(Errno) {
            guard let envelope = try queue.information(key.id) else { return }
            guard let records = try queue.recipients(key.id, channel) else {
                if try queue.removeRecipients(key.id, channel) == false { end(key) }
                return
            }
            guard let message = try queue.message(key.id) else {
                log.warning("no mess file of", key.id, [UInt8]("left in info/"), queue.name)
                return
            }
            if try queue.isComingIn(key.id) {
                return postpone(key, [channel], seconds: Self.lockSeconds)
            }
            let job = Job(
                key: key, isFresh: false, sender: envelope.sender, process: envelope.process,
                recipients: records, position: 0,
                birth: message.modified, isDying: isDying(message.modified, envelope.sender))
            let index = withLane(channel) { $0.add(job) }
            startNext(channel, index)
        } catch {
            log.warning("unable to read the files of", key.id, error.text, queue.name)
            postpone(key, [channel])
        }
    }

    private func isDying(_ birth: Int, _ sender: [UInt8]) -> Bool {
        let lifetime = sender.isEmpty ? settings.bounceLifetime : settings.queueLifetime
        return Clock.seconds > birth + lifetime
    }

    /// Hand the job's next recipient to the spawner; the job stays open when there are more.
    private func startNext(_ channel: Channel, _ index: Int) {
        guard var job = withLane(channel, { $0.jobs[index] }) else { return }
        var recipients = StoredRecipients(job.recipients, from: job.position)
        var next = recipients.next()
        while let found = next, found.isDone { next = recipients.next() }
        guard let recipient = next else {
            job.position = job.recipients.count
            withLane(channel) { $0.jobs[index] = job }
            finishIfDone(channel, index)
            return
        }
        guard let slot = withLane(channel, { $0.freeNumber() }) else {
            // Nobody is to be forgotten for want of a number.
            withLane(channel) { $0.open.append(index) }
            return
        }
        lastNumber += 1
        job.position = recipients.position
        job.running += 1
        let hasMore = recipients.hasMore
        let delivery = Delivery(
            job: index, number: lastNumber, recipient: recipient.address, offset: recipient.offset,
            notifications: recipient.notifications)
        let queue = queue(job.key)
        var request = [UInt8(truncatingIfNeeded: slot), UInt8(truncatingIfNeeded: slot >> 8)]
        request += queue.directory.file("mess", job.key.id) + [0]
        request += sender(of: job.sender, for: original(recipient.address, channel)) + [0]
        request += recipient.address + [0]
        withLane(channel) {
            $0.jobs[index] = job
            $0.deliveries[slot] = delivery
            $0.running += 1
            $0.output.append(request)
            if hasMore { $0.open.append(index) }
        }
        log.start(
            delivery: delivery.number, job.key.id, channel, to: recipient.address, queue.name)
        logStatus(queue)
    }

    /// The recipient as the sender knows him.
    private func original(_ recipient: [UInt8], _ channel: Channel) -> [UInt8] {
        channel == .local ? settings.routing.original(recipient) : recipient
    }

    /// The sender that a recipient sees: `owner-@HOST-@[]` becomes `owner-USER=DOMAIN@HOST`, so that a notice tells whose
    /// address is wrong.
    private func sender(of sender: [UInt8], for recipient: [UInt8]) -> [UInt8] {
        let ending = [UInt8]("-@[]")
        guard sender.count > ending.count, sender.suffix(ending.count).elementsEqual(ending),
            let at = sender.dropLast(ending.count).lastIndex(of: UInt8(ascii: "@")),
            let recipientAt = recipient.lastIndex(of: UInt8(ascii: "@"))
        else { return sender }
        return Array(sender[..<at]) + Array(recipient[..<recipientAt]) + [UInt8(ascii: "=")]
            + Array(recipient[(recipientAt + 1)...])
            + Array(sender[at...].dropLast(ending.count))
    }

    /// Take a report of a delivery.
    func take(_ report: DeliveryReport, _ channel: Channel) {
        let found = withLane(channel) { lane -> Delivery? in
            guard lane.deliveries.indices.contains(report.number),
                let delivery = lane.deliveries[report.number]
            else { return nil }
            lane.deliveries[report.number] = nil
            lane.running -= 1
            return delivery
        }
        guard let delivery = found, var job = withLane(channel, { $0.jobs[delivery.job] }) else {
            log.line([UInt8]("warning: a spawner reports a delivery that was not started"))
            return
        }
        let queue = queue(job.key)
        var outcome = report.outcome
        var text = report.text
        if job.isDying, outcome != .success, outcome != .failure {
            outcome = .failure
            text =
                text.trimmed
                + [UInt8](
                    "\nThis was the last attempt: the message has been in the queue too long. (#4.4.7)\n"
                )
        }
        log.result(delivery: delivery.number, outcome, text, queue.name)
        let isOver = outcome == .success || outcome == .failure
        if isOver, !job.isOld, let action = action(outcome, delivery, channel) {
            // Of what was begun a part may be there, which must not stay for whoever gets this number.
            job.hasNotice = true
            withLane(channel) { $0.jobs[delivery.job] = job }
            logStatus(queue)
            return note(action, text, delivery, job, channel)
        }
        over(delivery, &job, channel, isDone: isOver)
        logStatus(queue)
        finishIfDone(channel, delivery.job)
    }

    /// Count a delivery of a job as over.
    private func over(
        _ delivery: Delivery, _ job: inout Job, _ channel: Channel, isDone: Bool
    ) {
        if job.isOld {
            job.position = job.recipients.count
        } else if isDone {
            markDone(job, delivery, channel)
        } else {
            job.isDeferred = true
        }
        job.running -= 1
        withLane(channel) { $0.jobs[delivery.job] = job }
    }

    /// What the sender is to be told of a delivery; nil for nothing.
    private func action(
        _ outcome: DeliveryReport.Outcome, _ delivery: Delivery, _ channel: Channel
    ) -> NoticeRecord.Action? {
        let wanted = delivery.notifications.conditions
        if outcome == .failure { return wanted?.failure == false ? nil : .failed }
        guard wanted?.success == true else { return nil }
        return channel == .local ? .delivered : .relayed
    }

    /// Write down what the sender is to be told; when it is on the disk the delivery is over.
    private func note(
        _ action: NoticeRecord.Action, _ text: [UInt8], _ delivery: Delivery, _ job: Job,
        _ channel: Channel
    ) {
        let record = NoticeRecord(
            action, recipient: original(delivery.recipient, channel),
            originalRecipient: delivery.notifications.originalRecipient, text: text)
        let isSuccess = action != .failed
        do throws(Errno) {
            let start = try queue(job.key).addNotice(job.key.id, record.encoded)
            sync(
                job.key, .notice,
                .notice(channel, delivery, record: start, isSuccess: isSuccess))
        } catch {
            noted(channel, delivery, record: nil, isSuccess: isSuccess, error)
        }
    }

    /// What the sender is to be told is on the disk, or not for the reason given: then the recipient must be tried again.
    func noted(
        _ channel: Channel, _ delivery: Delivery, record: Int?, isSuccess: Bool, _ failure: Errno?
    ) {
        guard var job = withLane(channel, { $0.jobs[delivery.job] }) else { return }
        if let failure, !job.isOld {
            let queue = queue(job.key)
            log.warning("unable to write bounce/ for", job.key.id, failure.text, queue.name)
            if let record { forgetRecord(job.key, record) }
        } else if !job.isFresh, !job.isOld {
            tellSoon(job.key, birth: job.birth)
        }
        // What is delivered stays so; only the good news is lost.
        over(delivery, &job, channel, isDone: failure == nil || isSuccess)
        finishIfDone(channel, delivery.job)
    }

    /// Tell nobody of a record that may be on the disk or not.
    private func forgetRecord(_ key: MessageKey, _ record: Int) {
        do throws(Errno) {
            try queue(key).markTold(key.id, [record], tag: NoticeRecord.toldTag)
        } catch {
            log.warning(
                "unable to mark in bounce/ what is not to be told,", key.id, error.text,
                queue(key).name)
        }
    }

    private func markDone(_ job: Job, _ delivery: Delivery, _ channel: Channel) {
        if job.isFresh { return }
        do throws(Errno) {
            try queue(job.key).markDone(job.key.id, channel, offset: delivery.offset)
        } catch {
            log.warning(
                "unable to mark a recipient as done, who may get the message twice,", job.key.id,
                error.text, queue(job.key).name)
        }
    }
}
