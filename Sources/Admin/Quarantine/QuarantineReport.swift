package import AdminReport
import ByteText
import MailFormat

/// Quarantined messages for people and for programs.
package struct QuarantineReport {
    private let quarantine: Quarantine

    /// Of these messages.
    package init(_ quarantine: Quarantine) { self.quarantine = quarantine }

    /// All messages as a table.
    package var text: String {
        guard !quarantine.entries.isEmpty else { return "quarantine: nothing\n" }
        var table = TextTable(["ID", "STATE", "TIME", "BYTES", "SIGNATURE", "SENDER", "RECIPIENTS"])
        for entry in quarantine.entries {
            let recipients = quarantine.recipients(of: entry)
            let first = recipients.first.first.map { String(printable: $0) } ?? "-"
            let more = recipients.count > 1 ? " and \(recipients.count - 1) more" : ""
            table.append([
                entry.id, entry.state, Self.date(entry), "\(entry.size)", entry.signature ?? "-",
                entry.sender, first + more,
            ])
        }
        let held = quarantine.entries.filter { !$0.isReleased }.count
        return table.text
            + "quarantine: \(held) held, \(quarantine.entries.count - held) released\n"
    }

    /// All messages as JSON.
    package var json: JSONValue {
        .object([
            ("messages", .list(quarantine.entries.map { json($0) })),
            ("failures", .list(quarantine.failures.map { .string($0) })),
        ])
    }

    /// One message with its header.
    package func text(_ entry: QuarantineEntry, header: [String]) -> String {
        var lines = [
            "ID          \(entry.id)", "State       \(entry.state)",
            "File        \(String(printable: entry.path))", "Bytes       \(entry.size)",
            "Time        \(Self.date(entry))", "Verdict     \(entry.verdict ?? "-")",
            "Signature   \(entry.signature ?? "-")", "Rule        \(entry.rule ?? "-")",
            "Sender      \(entry.sender)",
        ]
        let recipients = quarantine.recipients(of: entry)
        lines += recipients.first.map { "Recipient   \(String(printable: $0))" }
        if recipients.more > 0 { lines.append("            and \(recipients.more) more") }
        return (lines + [""] + header).map { $0 + "\n" }.joined()
    }

    /// One message with its header as JSON.
    package func json(_ entry: QuarantineEntry, header: [String]? = nil) -> JSONValue {
        let recipients = quarantine.recipients(of: entry)
        var members: [(name: String, value: JSONValue)] = [
            ("id", .string(entry.id)), ("state", .string(entry.state)),
            ("file", .string(String(printable: entry.path))), ("size", .number(entry.size)),
            ("time", .number(entry.time)), ("verdict", JSONValue(entry.verdict)),
            ("signature", JSONValue(entry.signature)), ("rule", JSONValue(entry.rule)),
            ("sender", .string(String(printable: entry.facts.sender))),
            ("recipients", .list(recipients.first.map { .string(String(printable: $0)) })),
            ("recipientCount", .number(recipients.count)),
        ]
        if let header { members.append(("header", .list(header.map { .string($0) }))) }
        return .object(members)
    }

    private static func date(_ entry: QuarantineEntry) -> String {
        String(decoding: MailDate.rfc5322(seconds: entry.time), as: UTF8.self)
    }
}

extension QuarantineEntry {
    /// `held` or `released`.
    package var state: String { isReleased ? "released" : "held" }
}
