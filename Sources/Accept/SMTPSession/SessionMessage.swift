import ByteText
import EnvelopeWire
import Posix
import QueueClient
import SMTPGrammar

// The message.
extension Session where Stream: ~Copyable {
    /// It will never be whole: nothing is queued.
    mutating func abort(reply: Reply?, reason: [UInt8]) {
        queue.take()?.abandon()
        log.message(
            transaction, helo: dialogue.clientName, octets: dialogue.octets, report: nil,
            outcome: [UInt8]("aborted"), reply: reply, reason: reason)
        transaction = Transaction(sender: [])
    }

    mutating func startQueue() {
        queueFailure = nil
        unheard = 0
        hasContent = false
        do throws(Errno) {
            queue = try QueueRun(program: queueProgram, environment: messageEnvironment)
        } catch {
            queueFailure = error
        }
        queue?.write(
            TraceField.received(
                from: settings.peer, helo: dialogue.clientName, by: settings.dialogue.name,
                with: dialogue.protocolName, under: stream.encryption, seconds: Clock.seconds))
    }

    mutating func answer(message summary: MessageSummary) -> Reply {
        var report: QueueReport?
        let answer: QueueAnswer
        if let flaw = summary.flaw {
            queue.take()?.abandon()
            answer = QueueAnswer(flaw)
        } else if let run = queue.take() {
            let identifier = run.identifier
            let result = run.finish(envelope: transaction.envelope)
            report = result.report
            answer = QueueAnswer(
                result, identifier: identifier, namesSignature: settings.namesSignature,
                seconds: Clock.seconds)
        } else {
            answer = QueueAnswer(notStarted: queueFailure ?? .noSuchFile)
        }
        log.message(
            transaction, helo: dialogue.clientName, octets: summary.octets, report: report,
            outcome: answer.outcome, reply: answer.reply, reason: answer.reason)
        transaction = Transaction(sender: [])
        if !answer.reply.isRefusal { patience.renew() }
        return answer.reply
    }
}
