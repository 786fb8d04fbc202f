import Posix
import SMTPGrammar

/// How long a client may still let the server wait; in milliseconds.
///
/// Only what is waited for the client counts, not what a scan, a look-up or a slow answer takes. Each limit is for a
/// whole, so that a byte now and then gains nothing: a command, a message with its chunks and what comes between
/// them, and everything from one accepted message to the next.
struct ClientPatience {
    /// What has come too late.
    enum Lateness {
        /// Nothing came, or nothing was taken.
        case silence
        /// A command did not become whole.
        case command
        /// A message came too slowly.
        case message
        /// There was no message for too long.
        case session
        /// What is refused was not over in time: its answer is due.
        case refusal

        /// For the log.
        var reason: StaticString {
            switch self {
            case .silence: "timeout"
            case .command, .message, .refusal: "too slow"
            case .session: "no message for too long"
            }
        }

        /// For the client; RFC 5321 §3.8.
        var reply: Reply {
            switch self {
            case .silence: Reply(421, "4.4.2", "nothing came for too long")
            case .command: Reply(421, "4.4.2", "the command came too slowly")
            case .message, .refusal: Reply(421, "4.4.2", "the message came too slowly")
            case .session: Reply(421, "4.4.2", "no message was accepted for too long")
            }
        }
    }

    /// What the client is to send.
    enum Stage {
        /// A command, within a message or not.
        case command(isInMessage: Bool)
        /// Octets of a message or a chunk, or what nobody takes of one.
        case content(isRefused: Bool)
    }

    private let limit: Int
    private var onCommand = 0
    private var onMessage = 0
    private var onRefused = 0
    private var onSession = 0
    /// Whether some of the command has come.
    private var hasBegun = false
    /// What has come of the message.
    private var octets = 0
    /// What the last deadline was for.
    private(set) var lateness = Lateness.silence

    /// All that comes before a message is accepted may take this many times the limit.
    private static let sessionFactor = 3
    /// The most for the rest of a message that is refused already.
    private static let refusalLimit = 60_000

    /// A client that has `limit` milliseconds for a command.
    init(limit: Int) { self.limit = limit }

    /// When what comes next must be there; nil: now it is too late.
    ///
    /// A message gets a millisecond more for each octet, which is a second for 1000.
    mutating func deadline(for stage: Stage) -> Deadline? {
        var left = limit
        lateness = .silence
        func shorten(to other: Int, _ reason: Lateness) {
            if other >= left { return }
            left = other
            lateness = reason
        }
        var credit = 0
        switch stage {
        case .command(let isInMessage):
            if hasBegun { shorten(to: limit - onCommand, .command) }
            if isInMessage {
                shorten(to: limit + octets - onMessage, .message)
                credit = octets
            } else {
                onMessage = 0
                octets = 0
                onRefused = 0
            }
        case .content(let isRefused):
            shorten(to: limit + octets - onMessage, .message)
            if !isRefused { credit = octets }
            if isRefused, min(limit, Self.refusalLimit) - onRefused <= left {
                left = min(limit, Self.refusalLimit) - onRefused
                lateness = .refusal
            }
        }
        shorten(to: Self.sessionFactor * limit + credit - onSession, .session)
        return left > 0 ? Deadline(milliseconds: left) : nil
    }

    /// Note that `count` octets of this stage have come after a wait that began at `start`.
    mutating func received(_ count: Int, in stage: Stage, since start: Int) {
        // What comes at once takes a little, too, or it could come for ever.
        let time = max(1, Clock.milliseconds - start)
        onSession += time
        switch stage {
        case .command(let isInMessage):
            onCommand += time
            hasBegun = true
            if isInMessage { onMessage += time }
        case .content(let isRefused):
            onMessage += time
            octets += count
            if isRefused { onRefused += time }
        }
    }

    /// A reply was held back so long, for a client that guesses.
    mutating func wasDelayed(since start: Int) { onSession += Clock.milliseconds - start }

    /// Whether the session has lasted too long without a message, as is said of it then.
    var isOver: Bool {
        mutating get {
            if onSession < Self.sessionFactor * limit { return false }
            lateness = .session
            return true
        }
    }

    /// The client has taken replies since then.
    mutating func wasHeard(since start: Int) { onSession += Clock.milliseconds - start }

    /// Nothing is waited for any more: what comes too late now is silence.
    mutating func endWait() { lateness = .silence }

    /// A command has been answered.
    mutating func endCommand() {
        onCommand = 0
        hasBegun = false
    }

    /// A message has been accepted: what was before does not count any more.
    mutating func renew() { onSession = 0 }
}
