/// Why a message is refused for what it is, whatever the queue would say.
package enum MessageFlaw: Equatable, Sendable {
    /// A LF without CR before it, which some servers take for a line's end: the way messages are smuggled.
    case bareLineFeed
    /// More octets than the limit; RFC 1870.
    case tooBig
    /// It has passed too many servers; RFC 5321 §6.3.
    case looping

    /// What the client is told.
    package var reply: Reply {
        switch self {
        case .bareLineFeed:
            Reply(550, "5.6.11", "message has a LF without CR before it; lines must end in CR LF")
        case .tooBig: Reply(552, "5.3.4", "message is bigger than this server takes")
        case .looping:
            Reply(554, "5.4.6", "message has passed too many servers, it seems to loop")
        }
    }
}

/// What is known of a message when it has ended.
package struct MessageSummary: Equatable, Sendable {
    /// Its size as RFC 1870 counts it: a line's end as two, no dots of the transport.
    package let octets: Int
    /// Why it must be refused, nil when it need not be.
    package let flaw: MessageFlaw?

    /// What is known of a message: its octets, and the first thing wrong with it.
    package init(octets: Int, flaw: MessageFlaw?) {
        self.octets = octets
        self.flaw = flaw
    }
}
