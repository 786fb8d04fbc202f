import ByteText
import Envelope
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
        log.ignored(
            dialogue.ignoredParameters, helo: dialogue.clientName, sender: sender, recipient: [])
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
        log.ignored(
            dialogue.ignoredParameters, helo: dialogue.clientName, sender: transaction.sender,
            recipient: recipient)
        transaction.add(recipient, dialogue.recipientNotifications)
        return dialogue.accept()
    }

    /// The recipient as the envelope gets it.
    private mutating func allowed(_ path: ForwardPath) throws(Reply) -> [UInt8] {
        let suffix = relaySuffix ?? []
        guard case .mailbox(var mailbox) = path else {
            return [UInt8]("postmaster@") + settings.dialogue.name
        }
        if let name = localName(for: mailbox.domain) {
            mailbox = Mailbox(localPart: mailbox.localPart, domain: name)
        } else if relaySuffix == nil {
            try refuseForeign(mailbox)
        }
        let address = mailbox.address + suffix
        if address.count >= EnvelopeReader.addressLimit {
            // One that the queue refused would cost the others the message.
            throw Reply(501, "5.1.3", "the recipient's address is too long")
        }
        if relaySuffix == nil { try refuseListed(mailbox) }
        if relaySuffix == nil || settings.recipientCheck?.isForAll == true {
            try refuseUnknown(mailbox)
        }
        return address
    }

    private mutating func refuseForeign(_ mailbox: Mailbox) throws(Reply) {
        let isTaken: Bool
        do throws(Errno) { isTaken = try hosts.contains(mailbox.domain) } catch {
            log.trouble([UInt8]("unable to read morercpthosts.cdb: ") + error.text)
            throw Reply(451, "4.3.0", "mail server cannot look the domain up, try again later")
        }
        if !isTaken {
            throw Reply(550, "5.7.1", "this server does not take mail for that domain from you")
        }
    }

    /// The name that replaces an address literal of this machine; nil when the literal is not this machine's, or mail for the name is not local.
    private func localName(for domain: [UInt8]) -> [UInt8]? {
        guard let literal = IPAddress(literal: domain), let name = settings.literalHost else {
            return nil
        }
        if literal.isLoopback { return name }
        if let own = environment["TCPLOCALIP"].flatMap({ IPAddress($0) }), own == literal {
            return name
        }
        do throws(Errno) {
            let isOwn = try Interfaces.addresses().contains { IPAddress(bytes: $0) == literal }
            return isOwn ? name : nil
        } catch {
            // The kernel has no netlink for us; the client's own way to this machine is known all the same.
            return nil
        }
    }
}

extension IPAddress {
    /// The address of a literal, `[192.0.2.1]` or `[IPv6:2001:db8::1]`; nil of any other domain.
    fileprivate init?(literal: [UInt8]) {
        guard literal.first == UInt8(ascii: "["), literal.last == UInt8(ascii: "]") else {
            return nil
        }
        let inside = Array(literal.dropFirst().dropLast())
        self.init(inside.startsIgnoringCase(with: "IPv6:") ? Array(inside.dropFirst(5)) : inside)
    }
}
