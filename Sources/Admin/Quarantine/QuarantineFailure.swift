import AdminReport
package import Posix

/// Why a quarantined message was not released or deleted.
package enum QuarantineFailure: Error {
    case unknown(id: String)
    /// It has other characters than an id, or not as many; how many digits an id has, and must be given.
    case noID(String, digits: Int, least: Int)
    /// Two messages have the id, or the beginning of one.
    case ambiguous(id: String)
    case releasedBefore(id: String)
    case inUse(id: String)
    case gone(id: String)
    case notRoot
    case noRecipients(id: String)
    /// What its header says of sender and recipients cannot be an envelope.
    case noEnvelope(id: String)
    /// It says that it was for somebody else than the owner of the maildir in which it lies.
    case notOwners(id: String, address: String, place: String)
    case unable(String, Errno)
    case refused(String)
    /// It is queued, and still looks as if it were not.
    case unmarked(String, Errno)

    /// Whether the request itself cannot be met, rather than that something went wrong.
    package var isAnswer: Bool {
        switch self {
        case .unknown, .noID, .ambiguous, .releasedBefore, .gone, .noRecipients, .noEnvelope,
            .notOwners,
            .refused:
            true
        case .inUse, .notRoot, .unable, .unmarked: false
        }
    }

    /// The words for a person.
    package var text: String {
        switch self {
        case .unknown(let id):
            "there is no \(id) in quarantine; to see what there is: qhpsictl quarantine list"
        case .noID(let word, let digits, let least):
            "\(word) is no id, which has \(digits) digits 0-9 and a-f, of which the first \(least) must be given; to see them: qhpsictl quarantine list"
        case .ambiguous(let id): "more than one message in quarantine is called \(id)"
        case .releasedBefore(let id): "\(id) was released before"
        case .inUse(let id): "\(id) is being released by somebody else"
        case .gone(let id): "\(id) was moved or deleted just now"
        case .notRoot: "only root can release"
        case .noRecipients(let id): "whom \(id) was for is not known"
        case .noEnvelope(let id):
            "what the header of \(id) says of sender and recipients cannot be an envelope"
        case .notOwners(let id, let address, let place):
            "\(id) says that it was for \(address), whose mail does not come to the owner of \(place): it may be forged"
        case .unable(let what, let reason): "unable to \(what): \(String(printable: reason.text))"
        case .refused(let text): "not queued: \(text)"
        case .unmarked(let what, let reason):
            "released, but unable to \(what): \(String(printable: reason.text))"
        }
    }
}
