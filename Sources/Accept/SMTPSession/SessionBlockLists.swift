import ByteText
import Posix
import Resolver
import SMTPGrammar

/// What is thought of a client's address; it is found out for the first recipient.
struct ClientStanding {
    /// TCPREMOTEIP when it was found out: a proxy may name another client later.
    let address: [UInt8]
    let refusal: Reply?
}

// DNS block lists.
extension Session where Stream: ~Copyable {
    /// Refuse a recipient because of where the client is.
    ///
    /// Clients that may relay never come here. The postmaster is let through, so that whoever is listed
    /// wrongly can say so.
    mutating func refuseListed(_ mailbox: Mailbox) throws(Reply) {
        if mailbox.isPostmaster { return }
        if standing?.address != settings.peer.address {
            standing = ClientStanding(address: settings.peer.address, refusal: findStanding())
        }
        if let refusal = standing?.refusal { throw refusal }
    }

    private func findStanding() -> Reply? {
        if let text = environment["RBLSMTPD"] {
            if text.isEmpty { return nil }
            let isPermanent = text.first == UInt8(ascii: "-")
            return Reply(
                blocking: isPermanent ? Array(text.dropFirst()) : text, isPermanent: isPermanent)
        }
        guard !settings.blockLists.sources.isEmpty,
            let client = IPAddress(settings.peer.address), !client.isLoopback
        else { return nil }
        let answer = settings.blockLists.answer(about: client, from: .configured(environment))
        for trouble in answer.troubles { log.trouble([UInt8]("block list ") + trouble) }
        return answer.refusal
    }
}

extension Mailbox {
    /// Whether it is one that every server has and must let everybody write to; RFC 5321 §4.5.1.
    var isPostmaster: Bool { localPart.equalsIgnoringCase("postmaster") }
}
