import ByteText
import MailFormat
import ScanProtocol

/// What a user of the machine is told whose mail was held and is not sent, because of its verdict.
struct HeldNotice {
    /// Who gets what cannot be refused.
    static let postmaster: StaticString = "postmaster"

    /// The user who queued the message.
    let user: UInt32
    private let recipients: [[UInt8]]
    private let reason: [UInt8]
    private let id: UInt64

    /// The most recipients that the notice names.
    private static let limit = 50

    init(_ envelope: HeldEnvelope, _ verdict: Verdict, id: UInt64) {
        user = envelope.user
        recipients = envelope.recipients
        self.id = id
        switch verdict {
        case .infected(let signature):
            reason = [UInt8]("it contains a virus: ") + signature.singleLine
        case .clean, .notScanned, .failed:
            reason = [UInt8]("it cannot be scanned for viruses")
        }
    }

    /// The message for him.
    func text(to name: [UInt8], seconds: Int) -> [UInt8] {
        let at = name.firstIndex(of: UInt8(ascii: "@")) ?? name.count
        var text = [UInt8]("From: ") + [UInt8](Self.postmaster) + name[at...]
        text += [UInt8]("\nTo: ") + name
        text += [UInt8]("\nSubject: mail of yours was not sent\nDate: ")
        text += MailDate.rfc5322(seconds: seconds)
        text.append("\nAuto-Submitted: auto-generated\n\n")
        text.append("A message that you sent waited for a scan, which has now been made.\n")
        text += [UInt8]("It was not delivered, for ") + reason
        text += [UInt8](".\nThe postmaster has it. Its number was ") + [UInt8](decimal: id)
        text.append(". It was for:\n\n")
        for recipient in recipients.prefix(Self.limit) {
            text += [UInt8]("  ") + recipient.singleLine + [10]
        }
        if recipients.count > Self.limit {
            text += [UInt8]("  and ") + [UInt8](decimal: recipients.count - Self.limit)
            text.append(" others\n")
        }
        return text
    }
}
