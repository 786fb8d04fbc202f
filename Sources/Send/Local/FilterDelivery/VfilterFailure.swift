import ByteText
import FilterStore
import Maildir
import Posix
import QueueClient

/// How vfilter(8) ends: what its exit code means to qmail-local(8).
enum VfilterExit: Int32 {
    /// No rule fits: the delivery goes on.
    case goOn = 0
    /// The message has been delivered.
    case delivered = 99
    /// The sender gets it back.
    case refused = 100
    /// It is tried again later.
    case deferred = 111
}

/// Why a message was not delivered; what the sender or the log is told.
enum VfilterFailure: Error {
    case usage
    case environment
    case store(FilterStoreFailure)
    /// A control file cannot be read; why, in words.
    case control([UInt8])
    case message(Errno)
    case addressBook([UInt8], Errno)
    case noMaildir([UInt8])
    case mailbox(MaildirFailure)
    case noSuchMailbox
    case bounced(rule: [UInt8])
    case queue(QueueFailure)
    case program(isTemporary: Bool, reason: [UInt8])

    var exit: VfilterExit {
        switch self {
        case .noSuchMailbox, .bounced: .refused
        case .queue(let failure): failure.isTemporary ? .deferred : .refused
        case .program(let isTemporary, _): isTemporary ? .deferred : .refused
        default: .deferred
        }
    }

    /// One line.
    var text: [UInt8] {
        switch self {
        case .usage: [UInt8](Self.usageText)
        case .environment: [UInt8]("HOME, HOST and LOCAL are not set as by qmail-local (#4.3.5)")
        case .control(let text): text + [UInt8](" (#4.3.0)")
        case .store(let failure): failure.text + [UInt8](" (#4.3.0)")
        case .message(let reason): [UInt8]("unable to read the message: ") + reason.text
        case .addressBook(let path, let reason):
            [UInt8]("unable to read ") + path + [UInt8](": ") + reason.text
        case .noMaildir(let path): path + [UInt8](" is no maildir (#4.2.1)")
        case .mailbox(let failure): failure.text
        case .noSuchMailbox: [UInt8]("There is no mailbox of that name here. (#5.1.1)")
        case .bounced(let rule):
            [UInt8]("The recipient's filter \"") + rule
                + [UInt8]("\" does not let this message pass. (#5.7.1)")
        case .queue(let failure): [UInt8]("unable to forward the message: ") + failure.text
        case .program(_, let reason): reason
        }
    }

    static let usageText: StaticString =
        "usage: vfilter [-m maildir] | vfilter '' bounce-no-mailbox|delete|&address"
}
