import ByteText
import Posix
import SMTPGrammar

// Policy.
extension Session where Stream: ~Copyable {
    mutating func answer(sender path: ReversePath) -> Reply {
        let sender = path.address
        if settings.badSenders.contains(sender) {
            let reply = Reply(553, "5.7.1", "this sender is not welcome here")
            log.refusal(helo: dialogue.clientName, sender: sender, recipient: [], reply: reply)
            return reply
        }
        transaction = Transaction(sender: sender, dialogue.messageNotifications)
        return dialogue.accept()
    }

    mutating func answer(recipient path: ForwardPath) -> Reply {
        let recipient: [UInt8]
        do throws(Reply) { recipient = try allowed(path) } catch {
            let address =
                if case .mailbox(let mailbox) = path { mailbox.address } else { [UInt8]() }
            log.refusal(
                helo: dialogue.clientName, sender: transaction.sender, recipient: address,
                reply: error)
            return error
        }
        transaction.add(recipient, dialogue.recipientNotifications)
        return dialogue.accept()
    }

    /// The recipient as the envelope gets it.
    private mutating func allowed(_ path: ForwardPath) throws(Reply) -> [UInt8] {
        guard case .mailbox(let mailbox) = path else {
            return [UInt8]("postmaster@") + settings.dialogue.name
        }
        if let suffix = relaySuffix { return mailbox.address + suffix }
        let isTaken: Bool
        do throws(Errno) { isTaken = try hosts.contains(mailbox.domain) } catch {
            log.trouble([UInt8]("unable to read morercpthosts.cdb: ") + error.text)
            throw Reply(451, "4.3.0", "mail server cannot look the domain up, try again later")
        }
        if !isTaken {
            throw Reply(550, "5.7.1", "this server does not take mail for that domain from you")
        }
        try refuseListed(mailbox)
        try refuseUnknown(mailbox)
        return mailbox.address
    }
}
