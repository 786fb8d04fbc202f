import ByteText
import Envelope
import Posix
import QueueClient
import SMTPGrammar

/// What the client is told, and the log, of how qmail-queue ended.
struct QueueAnswer {
    let reply: Reply
    /// `accepted`, `held`, `discarded`, `forwarded`, `refused` or `deferred`.
    let outcome: [UInt8]
    /// Why, empty when there is nothing to say.
    let reason: [UInt8]

    /// The answer to a finished run.
    init(_ result: QueueRun.Result, identifier: Int32, namesSignature: Bool, seconds: Int) {
        let report = result.report ?? QueueReport()
        switch result.ending {
        case .exited(0) where result.isComplete:
            reply = Self.success(report, identifier: identifier, seconds: seconds)
            let isPlain =
                !report.outcome.equals("discarded") && !report.outcome.equals("forwarded")
                && !report.outcome.equals("held")
            outcome = isPlain ? [UInt8]("accepted") : report.outcome
            reason = report.reason
            return
        case .exited(0): reply = Self.failure(.read, report, namesSignature)
        case .exited(QueueExit.custom.rawValue): reply = Self.custom(result.text)
        case .exited(let code):
            if let exit = QueueExit(rawValue: code) {
                reply = Self.failure(exit, report, namesSignature)
            } else {
                reply = Self.unknown(code)
            }
        case .killed: reply = Self.failure(.crashed, report, namesSignature)
        }
        outcome = Self.outcome(of: reply)
        reason = report.reason.isEmpty ? reply.text : report.reason
    }

    /// The answer when qmail-queue could not even be started.
    init(notStarted reason: Errno) {
        reply = Self.failure(.execQueue, QueueReport(), false)
        outcome = Self.outcome(of: reply)
        self.reason = [UInt8]("unable to start qmail-queue: ") + reason.text
    }

    /// The answer to a message that must be refused for what it is.
    init(_ flaw: MessageFlaw) {
        reply = flaw.reply
        outcome = Self.outcome(of: reply)
        reason = reply.text
    }

    private static func outcome(of reply: Reply) -> [UInt8] {
        reply.code < 500 ? [UInt8]("deferred") : [UInt8]("refused")
    }

    private static func success(
        _ report: QueueReport, identifier: Int32, seconds: Int
    ) -> Reply {
        var text = [UInt8]("ok ")
        text.append(decimal: seconds)
        text.append(" qp ")
        text.append(decimal: identifier)
        if !report.id.isEmpty {
            text.append(" id ")
            text.append(contentsOf: report.id)
        }
        return Reply(250, enhanced: [UInt8](QueueExit.queued.enhancedCode), text: text)
    }

    private static func failure(
        _ exit: QueueExit, _ report: QueueReport, _ namesSignature: Bool
    ) -> Reply {
        var text = [UInt8](exit.text)
        if exit == .virus, namesSignature, !report.signature.isEmpty {
            text.append(": ")
            text.append(contentsOf: report.signature.prefix(100))
        }
        if !report.id.isEmpty {
            text.append(" (ref ")
            text.append(contentsOf: report.id)
            text.append(")")
        }
        return Reply(
            exit.isTemporary ? 451 : 554, enhanced: [UInt8](exit.enhancedCode), text: text)
    }

    private static func unknown(_ code: Int32) -> Reply {
        QueueExit.isTemporary(unknown: code)
            ? Reply(451, "4.3.0", "mail server has trouble with its queue, try again later")
            : Reply(554, "5.3.0", "message refused by local policy")
    }

    /// What qmail-queue, or a program in its place, wants to be said: `D` or `Z` and a text.
    private static func custom(_ text: [UInt8]) -> Reply {
        let isPermanent = text.first == UInt8(ascii: "D")
        guard text.count > 2, isPermanent || text.first == UInt8(ascii: "Z") else {
            return failure(.custom, QueueReport(), false)
        }
        let said = Array(text.dropFirst()).trimmed.map { $0.isPrintable ? $0 : 32 }
        let status = EnhancedStatus(in: said, wanted: isPermanent ? "5" : "4")
        return Reply(isPermanent ? 554 : 451, enhanced: status.code, text: status.rest)
    }
}

/// An enhanced status code that a text of qmail's world may carry: first, or last as `(#5.7.1)`.
private struct EnhancedStatus {
    let code: [UInt8]
    let rest: [UInt8]

    init(in text: [UInt8], wanted: Unicode.Scalar) {
        let first = Array(text.prefix { $0 != 32 })
        if Self.isCode(first, wanted) {
            code = first
            rest = Array(text.dropFirst(first.count)).trimmed
            return
        }
        if text.last == UInt8(ascii: ")"), let start = text.range(of: "(#") {
            let last = Array(text[start.upperBound...].dropLast())
            if Self.isCode(last, wanted) {
                code = last
                rest = Array(text[..<start.lowerBound]).trimmed
                return
            }
        }
        rest = text
        code = [UInt8(ascii: wanted)] + [UInt8](".3.0")
    }

    /// `class "." subject "." detail` of RFC 3463 §2.
    private static func isCode(_ text: [UInt8], _ wanted: Unicode.Scalar) -> Bool {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 3 && parts[0].elementsEqual([UInt8(ascii: wanted)])
            && parts[1...].allSatisfy {
                (1...3).contains($0.count) && $0.allSatisfy { $0.isDigit }
            }
    }
}
