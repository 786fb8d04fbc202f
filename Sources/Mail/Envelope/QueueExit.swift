import ByteText

/// How qmail-queue ended, by its exit code: what its callers tell the sender.
///
/// See qmail-queue(8).
package enum QueueExit: Int32, Error, CaseIterable, Sendable {
    case queued = 0
    case addressTooLong = 11
    case refused = 31
    case spam = 32
    case virus = 33
    case attachment = 34
    case privilege = 50
    case memory = 51
    case timeout = 52
    case write = 53
    case read = 54
    case configuration = 55
    case network = 56
    case pipes = 60
    case home = 61
    case queueDirectory = 62
    case pidFile = 63
    case messFile = 64
    case intdFile = 65
    case todoFile = 66
    case ids = 67
    case exec = 75
    case scanner = 77
    case envelopeFormat = 79
    case bug = 81
    case custom = 88
    case execQueue = 120
    case fork = 121
    case wait = 122
    case crashed = 123

    /// Whether the sender may try the same again later: 451 rather than 554.
    package var isTemporary: Bool {
        switch self {
        case .queued, .addressTooLong, .refused, .spam, .virus, .attachment: false
        default: true
        }
    }

    /// Whether a code that is not one of these is temporary: 11 to 40 are not.
    package static func isTemporary(unknown code: Int32) -> Bool { !(11...40).contains(code) }

    /// The enhanced status code, RFC 3463.
    package var enhancedCode: StaticString {
        switch self {
        case .queued: "2.0.0"
        case .addressTooLong: "5.1.3"
        case .refused: "5.3.0"
        case .spam, .virus, .attachment: "5.7.1"
        default: "4.3.0"
        }
    }

    /// What the sender is told, after the codes.
    package var text: StaticString {
        switch self {
        case .queued: "message accepted"
        case .addressTooLong: "an envelope address is too long"
        case .refused: "message refused by local policy"
        case .spam: "message looks like spam"
        case .virus: "message contains a virus"
        case .attachment: "message contains a banned attachment"
        case .privilege: "mail server cannot set its user, try again later"
        case .memory: "mail server is out of memory, try again later"
        case .timeout: "mail server took too long to queue the message, try again later"
        case .write: "mail server's queue is full or cannot be written, try again later"
        case .read: "mail server could not read the message, try again later"
        case .configuration: "mail server cannot read its configuration, try again later"
        case .network: "mail server has network trouble, try again later"
        case .pipes: "mail server cannot make pipes, try again later"
        case .home: "mail server's home folder is missing, try again later"
        case .queueDirectory: "mail server's queue is missing, try again later"
        case .pidFile, .messFile, .intdFile, .todoFile:
            "mail server cannot make files in its queue, try again later"
        case .ids: "mail server does not know its users, try again later"
        case .exec: "mail server cannot run a program, try again later"
        case .scanner: "message could not be scanned for viruses now, try again later"
        case .envelopeFormat: "mail server got a malformed envelope, try again later"
        case .bug: "mail server has a bug, try again later"
        case .custom: "message not accepted now, try again later"
        case .execQueue: "mail server cannot run qmail-queue, try again later"
        case .fork: "mail server cannot start a process, try again later"
        case .wait: "mail server lost track of qmail-queue, try again later"
        case .crashed: "qmail-queue crashed, try again later"
        }
    }
}
