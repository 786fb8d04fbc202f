import Address
import ByteText
package import Envelope
import MailFormat

/// A message that tells a sender what became of his: a delivery status notification, RFC 3464.
package struct NoticeMessage: Sendable {
    /// The name of the mail system that speaks, control/me.
    package var host: [UInt8]
    /// Who speaks, control/bouncefrom at control/bouncehost.
    package var from: [UInt8]
    /// Who is told; in a double bounce the postmaster.
    package var to: [UInt8]
    /// Who sent the original, empty for a notice that itself could not be delivered.
    package var originalSender: [UInt8]
    package var records: [NoticeRecord]
    /// What he asked for, with the id that he gave.
    package var notifications: MessageNotifications
    /// When the original was queued, and now, in seconds since 1970.
    package var arrival: Int
    package var now: Int
    /// Makes this message's id and boundary its own: a number that no other message has at this second.
    package var serial: Int32
    /// The start of the original, with the whole header unless it is cut.
    package var original: [UInt8]
    /// Whether it is without the words of others, for a scanner has refused it with them: what servers and programs
    /// said, and the original's header.
    package var isBare = false
    /// Whether the message still waits for other recipients.
    package var isPartial = false
    /// Which notice about the message it is: a number that no other one has, 0 for the first.
    package var part = 0

    /// A notice to be filled in.
    package init(
        host: [UInt8], from: [UInt8], to: [UInt8], originalSender: [UInt8],
        records: [NoticeRecord], notifications: MessageNotifications, arrival: Int, now: Int,
        serial: Int32, original: [UInt8]
    ) {
        self.host = host
        self.from = from
        self.to = to
        self.originalSender = originalSender
        self.records = records
        self.notifications = notifications
        self.arrival = arrival
        self.now = now
        self.serial = serial
        self.original = original
    }

    private var hasFailed: Bool { records.contains { $0.action == .failed } }

    /// The message, its lines ended by LF; everything in it is ASCII.
    ///
    /// The whole original is not in it, but its header: RFC 3461 §4.3 allows that for RET=FULL too, and a virus
    /// does not travel on in a notice.
    package var bytes: [UInt8] {
        var out = header
        out += human
        out += status
        if !isBare {
            out.append("\n--")
            out += boundary
            out += originalPart
        }
        out.append("\n--")
        out += boundary
        out.append("--\n")
        return out
    }

    private var unique: [UInt8] {
        var text = [UInt8](decimal: now)
        text.append(".")
        text.append(decimal: Int(serial))
        if part > 0 {
            text.append(".")
            text.append(decimal: part)
        }
        return text
    }

    // No line of what others wrote begins with `-` in the notice, so none can clash with it.
    private var boundary: [UInt8] { [UInt8]("=_") + unique + [UInt8]("_=") }

    private var header: [UInt8] {
        var out = [UInt8]("Date: ")
        out += MailDate.rfc5322(seconds: now)
        out.append("\nFrom: ")
        out += Self.mailbox(from).prefix(Self.textLimit)
        out.append("\nTo: ")
        out += Self.mailbox(to).prefix(Self.textLimit)
        out.append("\nMessage-ID: <")
        out += unique
        out.append(".notice@")
        out += Self.visible(host)
        out.append(">\nSubject: ")
        out.append(hasFailed ? "failure notice" : "success notice")
        if !isBare, let identifier = MessageIdentifier.find(in: original) {
            // RFC 3834 §3.1.6; RFC 5322 §3.6.4.
            for field in ["\nIn-Reply-To: ", "\nReferences: "] as [StaticString] {
                out.append(field)
                out += identifier
            }
        }
        out.append("\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n")
        out.append(
            "Content-Type: multipart/report; report-type=delivery-status;\n\tboundary=\"")
        out += boundary
        out.append("\"\n\n")
        return out
    }

    private var human: [UInt8] {
        var out = [UInt8]("--")
        out += boundary
        out.append("\nContent-Type: text/plain; charset=us-ascii\n\nThis is the mail server ")
        out += Self.visible(host)
        if hasFailed {
            out.append(".\nA message ")
            if originalSender.isEmpty {
                out.append("without a sender")
            } else {
                out.append("of <")
                out += Self.visible(originalSender).prefix(Self.textLimit)
                out.append(">")
            }
            out.append(
                " could not be delivered to the addresses below.\nThis is final: it will not be tried again.\n"
            )
        } else {
            out.append(".\nYour message went to the addresses below, as you asked to be told.\n")
        }
        if isPartial {
            out.append("For its other addresses it waits, and you hear of them if that fails.\n")
        }
        if isBare {
            out.append(
                "What was said of them, and your message's header, are left out,\nfor a virus scanner refused to let them through.\n"
            )
        }
        for record in records where record.action == .failed || !hasFailed {
            describe(record, &out)
        }
        if hasFailed, records.contains(where: { $0.action != .failed }) {
            out.append("\nIt did go to these, as you asked to be told:\n")
            for record in records where record.action != .failed { describe(record, &out) }
        }
        out.append("\n")
        return out
    }

    private func describe(_ record: NoticeRecord, _ out: inout [UInt8]) {
        out.append("\n<")
        out += Self.visible(record.recipient).prefix(Self.textLimit)
        out.append(">:\n")
        if isBare {
            out += record.status
            out.append("\n")
            return
        }
        for line in record.text.split(separator: 10) {
            // A line of the text must not end the part, or be too long for SMTP.
            var rest = line
            repeat {
                if rest.first == UInt8(ascii: "-") { out.append(" ") }
                out += Self.visible(Array(rest.prefix(Self.textLimit)))
                out.append("\n")
                rest = rest.dropFirst(Self.textLimit)
            } while !rest.isEmpty
        }
    }

    private var status: [UInt8] {
        var out = [UInt8]("--")
        out += boundary
        out.append("\nContent-Type: message/delivery-status\n\n")
        if !notifications.envelopeID.isEmpty {
            out.append("Original-Envelope-Id: ")
            out += Xtext.decoded(notifications.envelopeID).map { Self.visible($0) } ?? []
            out.append("\n")
        }
        out.append("Reporting-MTA: dns; ")
        out += Self.visible(host)
        out.append("\nArrival-Date: ")
        out += MailDate.rfc5322(seconds: arrival)
        out.append("\n")
        for record in records {
            out.append("\n")
            if !record.originalRecipient.isEmpty {
                out.append("Original-Recipient: ")
                out += Self.decodedOriginal(record.originalRecipient).prefix(Self.textLimit)
                out.append("\n")
            }
            out.append("Final-Recipient: ")
            out += Self.typed(record.recipient).prefix(Self.textLimit)
            out.append("\nAction: ")
            switch record.action {
            case .failed: out.append("failed")
            case .delivered: out.append("delivered")
            case .relayed: out.append("relayed")
            }
            out.append("\nStatus: ")
            out += record.status
            if !isBare { out += Self.diagnosis(record) }
            out.append("\n")
        }
        return out
    }

    /// Who said what, for programs; RFC 3464 §2.3.5 and §2.3.6.
    private static func diagnosis(_ record: NoticeRecord) -> [UInt8] {
        var out: [UInt8] = []
        var text = record.text
        if let words = ServerWords(text) {
            out.append("\nRemote-MTA: dns; ")
            out += visible(words.server).prefix(textLimit)
            out.append("\nDiagnostic-Code: smtp; ")
            text = words.reply
        } else if !text.trimmed.isEmpty {
            out.append("\nDiagnostic-Code: x-qhpsi; ")
        } else {
            return []
        }
        let line = Array(text.prefix(textLimit)).trimmed.map { $0 == 10 ? UInt8(ascii: " ") : $0 }
        return out + visible(line)
    }

    /// No address that SMTP takes is as long; lines have at most 998 bytes, RFC 5322 §2.1.1.
    private static let textLimit = 900
    private static let lineLimit = 997

    /// The third part: the original's header, byte by byte, unless its last line is cut.
    private var originalPart: [UInt8] {
        var header: [UInt8] = []
        var needsEncoding = false
        for line in original.split(separator: 10, omittingEmptySubsequences: false) {
            let line = line.last == 13 ? line.dropLast() : line
            if line.isEmpty { break }
            // A line that begins with a hyphen might end the part.
            let isPlain =
                line.count <= Self.lineLimit && line.first != UInt8(ascii: "-")
                && line.allSatisfy { $0.isPrintable || $0 == 9 }
            needsEncoding = needsEncoding || !isPlain
            header += line
            header.append(10)
        }
        var out = [UInt8]("\nContent-Type: text/rfc822-headers\n")
        if needsEncoding {
            // RFC 6522 §4: for a header that has bytes of 8 bits.
            out.append("Content-Transfer-Encoding: quoted-printable\n")
            header = QuotedPrintable.encoded(header)
        }
        out.append("\n")
        return out + header
    }

    /// Printable ASCII: everything else becomes `?`.
    private static func visible(_ text: [UInt8]) -> [UInt8] {
        text.map { $0.isPrintable ? $0 : UInt8(ascii: "?") }
    }

    /// An address for a header field, in printable ASCII.
    private static func mailbox(_ address: [UInt8]) -> [UInt8] {
        MailAddress(envelope: visible(address)).text
    }

    /// An address with its type; one beyond ASCII in the form that fits into ASCII, RFC 6533 §3.
    private static func typed(_ address: [UInt8]) -> [UInt8] {
        if address.allSatisfy({ $0 < 128 }) { return [UInt8]("rfc822; ") + mailbox(address) }
        var out = [UInt8]("utf-8; ")
        for scalar in String(decoding: address, as: UTF8.self).unicodeScalars {
            let isPlain =
                scalar.value > 32 && scalar.value < 127 && scalar != "\\" && scalar != "+"
                && scalar != "="
            if isPlain {
                out.append(UInt8(scalar.value))
            } else {
                out.append("\\x{")
                out += hexadecimal(scalar.value)
                out.append("}")
            }
        }
        return out
    }

    private static func hexadecimal(_ value: UInt32) -> [UInt8] {
        var digits: [UInt8] = []
        var rest = value
        repeat {
            let digit = UInt8(rest & 15)
            digits.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
            rest >>= 4
        } while rest > 0
        return digits.reversed()
    }

    /// ORCPT is in xtext within SMTP and as it is in a notice; RFC 3464 §2.3.1.
    private static func decodedOriginal(_ value: [UInt8]) -> [UInt8] {
        guard let semicolon = value.firstIndex(of: UInt8(ascii: ";")) else { return visible(value) }
        let type = Array(value[..<semicolon])
        let address = value[(semicolon + 1)...]
        let plain =
            type.equalsIgnoringCase("utf-8")
            ? Array(address) : Xtext.decoded(Array(address)) ?? Array(address)
        return visible(type) + [UInt8]("; ") + visible(plain)
    }
}
