import ByteText
import ControlFiles
import Envelope
import MailFormat
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
        header = ArrivingHeader(adding: submissionFields)
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

    /// What a message that is submitted here gets if it has it not; RFC 6409 §8.2 and §8.3.
    ///
    /// Mail from other servers gets nothing: its sender has signed it, or somebody will take us for its origin.
    private var submissionFields: [ArrivingHeader.Field] {
        guard relaySuffix != nil else { return [] }
        let now = Clock.secondsAndMicroseconds
        var host = settings.dialogue.name
        do throws(ControlFailure) {
            let control = Control(of: Instance.current(environment))
            if let line = try control.line("idhost"), !line.isEmpty { host = line }
        } catch {
            // Any name of this machine will do.
            log.trouble(error.text)
        }
        return [
            ArrivingHeader.Field("Date", MailDate.rfc5322(seconds: now.seconds)),
            ArrivingHeader.Field(
                "Message-ID",
                MessageIdentifier.text(now, process: Process.identifier, host: host)),
        ]
    }

    mutating func answer(message summary: MessageSummary) -> Reply {
        var report: QueueReport?
        let answer: QueueAnswer
        if let flaw = summary.flaw {
            queue.take()?.abandon()
            answer = QueueAnswer(flaw)
        } else if var run = queue.take() {
            run.write(header.finish())
            let identifier = run.identifier
            let result = run.finish(envelope: transaction.envelope.bytes)
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
