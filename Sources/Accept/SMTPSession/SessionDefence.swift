import Posix
import SMTPGrammar

// Hostile clients.
extension Session where Stream: ~Copyable {
    /// A client that speaks before it is greeted does not listen: it sends to many at once; RFC 5321 §4.3.1.
    mutating func waitBeforeGreeting() throws(Errno) -> Reply? {
        if settings.greetingDelay == 0 { return nil }
        var buffer = [UInt8](repeating: 0, count: 1)
        do throws(Errno) {
            let count = try stream.read(
                into: &buffer, until: Deadline(milliseconds: settings.greetingDelay * 1000),
                unless: termination.rawValue)
            if count == 0 { throw .connectionReset }
            return Reply(554, "5.5.0", "you spoke before you were greeted")
        } catch {
            if error == .timedOut { return nil }
            throw error
        }
    }

    /// Guessing addresses takes its time.
    mutating func delayBadRecipient() throws(Errno) {
        badRecipients += 1
        if settings.tarpitCount == 0 || badRecipients <= settings.tarpitCount { return }
        // Replies before it go out: a client that has gone is noticed so.
        try flush()
        let start = Clock.milliseconds
        // When the process is to end, the session soon will: then nothing is gained by waiting.
        _ = try Polling.wait(
            for: termination.rawValue, .readable,
            until: Deadline(milliseconds: settings.tarpitDelay * 1000))
        patience.wasDelayed(since: start)
        // A thousand guesses that came at once are not waited through.
        if patience.isOver { throw .timedOut }
    }

    mutating func sendAway(_ reply: Reply) throws(Errno) -> SessionEnding {
        if dialogue.isInMessage {
            abort(reply: reply, reason: reply.text)
        } else {
            log.refusal(
                helo: dialogue.clientName, sender: transaction.sender, recipient: [], reply: reply)
        }
        try send(reply)
        try flush()
        return .lost
    }
}
