package import AdminReport
import ByteText
import Envelope

/// What a self-test shows, for people and for programs.
package struct SelfTestReport: Sendable {
    /// What the two replies mean together.
    package enum Conclusion: String, Sendable {
        case refused, tagged, forwarded, deferred, missed, unscanned, disturbed, unknown
    }

    /// Both messages, and what they mean together.
    package let passages: [SelfTest.Passage]
    package let conclusion: Conclusion
    /// The conclusion in a sentence.
    package let sentence: String
    /// What to type to find out more; nil when all is well.
    package let advice: String?

    /// How the command ends.
    package var exit: AdminExit {
        switch conclusion {
        case .refused, .tagged, .forwarded: .well
        case .deferred, .missed, .unscanned, .disturbed: .problem
        case .unknown: .unable
        }
    }

    /// Judge what became of the messages.
    package init(_ passages: [SelfTest.Passage]) {
        self.passages = passages
        var judged: (Conclusion, String)?
        for passage in passages where judged == nil { judged = Self.obstacle(passage) }
        for passage in passages where judged == nil { judged = Self.judgement(passage) }
        (conclusion, sentence) = judged ?? (.unknown, "no message was sent")
        advice = Self.advice(conclusion, passages)
    }

    /// What looks at that which may have led to a conclusion.
    private static func advice(_ conclusion: Conclusion, _ passages: [SelfTest.Passage]) -> String?
    {
        func doctor(_ checks: String...) -> String {
            "qhpsictl doctor" + checks.map { " --only \($0)" }.joined()
        }
        switch conclusion {
        case .refused, .tagged, .forwarded: return nil
        case .missed: return doctor("settings", "signatures", "limits")
        case .unscanned: return doctor("settings", "control", "limits")
        case .deferred:
            let isScanner = passages.contains { $0.isPutOffByScanner }
            return isScanner
                ? doctor("clamd", "settings", "apparmor") : doctor("queues", "disk", "settings")
        case .disturbed:
            return doctor("settings", "control") + "; tail /var/log/qhpsi/qmail-smtpd.*/current"
        case .unknown:
            for passage in passages {
                switch passage.outcome {
                case .failed: return doctor("services", "ports")
                case .stopped: return doctor("control", "settings")
                case .answered: continue
                }
            }
            return passages.contains { $0.search == .closed } ? "sudo qhpsictl selftest" : nil
        }
    }

    /// What keeps a message from being a test at all.
    private static func obstacle(_ passage: SelfTest.Passage) -> (Conclusion, String)? {
        let kind = passage.kind.rawValue
        switch passage.outcome {
        case .failed(let reason): return (.unknown, "the \(kind) message: \(reason)")
        case .stopped(let step, let reply):
            return (.unknown, "the \(kind) message was stopped at \(step): \(reply.line)")
        case .answered(let reply):
            guard (400...499).contains(reply.code) else { return nil }
            let cause =
                passage.isPutOffByScanner
                ? "scanner down: deferred" : "deferred, and not because of the scanner"
            return (.deferred, "\(cause); the \(kind) message got \(reply.line)")
        }
    }

    /// What one message says about the server; nil for a clean one that came through.
    private static func judgement(_ passage: SelfTest.Passage) -> (Conclusion, String)? {
        guard case .answered(let reply) = passage.outcome else { return nil }
        let isMarked = passage.kind == .marked
        guard reply.code == 250 else {
            let isRefusal = reply.code == 554 && reply.text.contains("virus")
            if isMarked, isRefusal { return (.refused, "refusal is on: refused") }
            return (
                .disturbed,
                "the \(passage.kind.rawValue) message was refused, not for a virus in the marked one: "
                    + reply.line
            )
        }
        switch passage.search {
        case .found(let stored): return judgement(isMarked: isMarked, stored)
        case .gone where isMarked:
            return (
                .unknown,
                "accepted, and in no queue: discarded (REJECTVIRUS=2), or delivered already"
            )
        case .closed where isMarked:
            return (.unknown, "accepted; only root can read in the queue what the scanner said")
        case nil where isMarked:
            return (.unknown, "accepted, without an id by which to find it in a queue")
        default: return nil
        }
    }

    private static func judgement(
        isMarked: Bool, _ stored: StoredVerdict
    ) -> (Conclusion, String)? {
        guard let verdict = stored.verdict else {
            return (
                .unscanned,
                "\(stored.place) has no X-QHPSI below its first Received: not queued by QHPSI"
            )
        }
        switch (isMarked, verdict) {
        case (false, "clean"): return nil
        case (false, "virus found"):
            return (.disturbed, "the scanner finds a virus in the clean message")
        case (true, "virus found"):
            return stored.isForwarded
                ? (.forwarded, "VIRUSFORWARD is on: forwarded to its address, tagged")
                : (.tagged, "refusal is off: tagged")
        case (true, "clean"):
            return (.missed, "the scanner does not find the marker: accepted as clean")
        default: return (.unscanned, "\(stored.place) was not scanned: \(verdict)")
        }
    }

    /// Where the accepted messages lie.
    private var places: [String] {
        passages.compactMap {
            if case .found(let stored) = $0.search, !stored.isDelivered {
                stored.place
            } else {
                nil
            }
        }
    }

    /// A table, and sentences on what it means.
    ///
    /// - Parameter recipient: Whom the messages are for.
    /// - Returns: Lines.
    package func text(recipient: String) -> String {
        var table = TextTable(["MESSAGE", "IN THE QUEUE", "REPLY"])
        for passage in passages {
            table.append([
                passage.kind.rawValue, passage.storedText ?? "-", passage.replyText,
            ])
        }
        var text = table.text
        if !places.isEmpty {
            text += "Left in the queue, for \(recipient): \(places.joined(separator: ", "))\n"
        }
        return text + "selftest: \(sentence)\n" + (advice.map { "  do:  \($0)\n" } ?? "")
    }

    /// The same for programs.
    package var json: JSONValue {
        .object([
            ("conclusion", .string(conclusion.rawValue)), ("text", .string(sentence)),
            ("advice", JSONValue(advice)),
            ("exit", .number(Int(exit.rawValue))), ("messages", .list(passages.map(\.json))),
        ])
    }
}

extension SelfTest.Passage {
    /// Whether the server could not have the message scanned.
    fileprivate var isPutOffByScanner: Bool {
        guard case .answered(let reply) = outcome, (400...499).contains(reply.code) else {
            return false
        }
        return reply.text.contains(String(printable: [UInt8](QueueExit.scanner.text)))
    }

    fileprivate var replyText: String {
        switch outcome {
        case .answered(let reply): reply.line
        case .stopped(let step, let reply): "at \(step): \(reply.line)"
        case .failed(let reason): reason
        }
    }

    fileprivate var storedText: String? {
        switch search {
        case .found(let stored):
            "\(stored.place): \(stored.verdict ?? "no X-QHPSI")"
                + (stored.signature.map { " (\($0))" } ?? "")
        case .gone: "not there"
        case .closed: "closed to you"
        case nil: nil
        }
    }

    fileprivate var json: JSONValue {
        var members: [(name: String, value: JSONValue)] = [("message", .string(kind.rawValue))]
        switch outcome {
        case .answered(let reply):
            members += [("step", .string("message"))] + Self.members(reply)
        case .stopped(let step, let reply):
            members += [("step", .string(step))] + Self.members(reply)
        case .failed(let reason): members += [("failure", .string(reason))]
        }
        if case .found(let stored) = search {
            members += [
                ("queued", .string(stored.place)), ("verdict", JSONValue(stored.verdict)),
                ("signature", JSONValue(stored.signature)),
                ("forwarded", .boolean(stored.isForwarded)),
                ("delivered", .boolean(stored.isDelivered)),
            ]
        }
        return .object(members)
    }

    private static func members(_ reply: SMTPReply) -> [(name: String, value: JSONValue)] {
        [
            ("code", .number(reply.code)), ("reply", .string(reply.text)),
            ("id", JSONValue(reply.messageID.map { String($0) })),
        ]
    }
}
