import ByteText
import Envelope
import SMTPGrammar

/// A client that says anything at all, to an owner that accepts everything.
///
/// However its bytes are cut, the same must come of them, and a message must end where CR LF `.` CR LF is and
/// nowhere else, nor without BDAT.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSMTP(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    guard let first = bytes.first else { return 0 }
    let input = Array(bytes.dropFirst())
    let whole = Owner.steps(of: input, cut: max(1, input.count))
    if Owner.steps(of: input, cut: Int(first % 61) + 1) != whole {
        fatalError("what comes of a client's bytes depends on how they are cut")
    }
    let ends = whole.count { if case .message = $0 { true } else { false } }
    if ends > trueEnds(in: input) { fatalError("a message ended where there is no end") }
    let chunkedEnds = whole.count { if case .chunks = $0 { true } else { false } }
    if chunkedEnds > chunkCommands(in: input) { fatalError("a message ended without BDAT") }
    return 0
}

/// How many messages these bytes can end: CR LF `.` CR LF, the first CR LF also that of DATA.
private func trueEnds(in input: [UInt8]) -> Int {
    var count = 0
    var position = 0
    while let range = input.range(of: "\r\n.\r\n", from: position) {
        count += 1
        // The last CR LF can be the first of the next.
        position = range.upperBound - 2
    }
    return count
}

/// How many messages in chunks there can be: each needs the verb.
private func chunkCommands(in input: [UInt8]) -> Int {
    let lowercased = input.map { $0.lowercased }
    var count = 0
    var position = 0
    while let range = lowercased.range(of: "bdat ", from: position) {
        count += 1
        position = range.upperBound
    }
    return count
}

/// Who owns a dialogue in qmail-smtpd's place.
private struct Owner {
    /// What came of the client's bytes.
    enum Step: Equatable {
        case reply(Reply)
        case sender(ReversePath)
        case recipient(ForwardPath)
        case message([UInt8], MessageSummary)
        /// A message that came in chunks.
        case chunks([UInt8], MessageSummary)
    }

    private var dialogue: Dialogue
    private var content: [UInt8] = []
    private var isChunked = false
    private var steps: [Step] = []

    static func steps(of input: [UInt8], cut: Int) -> [Step] {
        var settings = Dialogue.Settings(name: [UInt8]("mx.test.example"))
        settings.sizeLimit = 4096
        settings.recipientLimit = 5
        settings.hopLimit = 3
        settings.offersNotifications = true
        var owner = Owner(dialogue: Dialogue(settings))
        var position = 0
        while position < input.count {
            let end = min(position + cut, input.count)
            owner.take(input[position..<end])
            position = end
        }
        return owner.steps
    }

    private init(dialogue: Dialogue) { self.dialogue = dialogue }

    private mutating func take(_ bytes: ArraySlice<UInt8>) {
        dialogue.feed(bytes)
        while true {
            switch dialogue.next() {
            case .needInput: return
            case .reply(let reply), .quit(let reply), .sendAway(let reply): send(reply)
            case .startTLS: fatalError("STARTTLS was not offered")
            case .sender(let path):
                check(path)
                check(dialogue.messageNotifications.records, after: "F")
                steps.append(.sender(path))
                send(dialogue.accept())
            case .recipient(let path):
                check(dialogue.recipientNotifications.records, after: "F\0T")
                steps.append(.recipient(path))
                send(dialogue.accept())
            case .message:
                content = []
                send(dialogue.accept())
            case .chunkedMessage:
                content = []
                isChunked = true
            case .content(let bytes): content += bytes
            case .spoiled: content = []
            case .cutOff: fatalError("no input is so long")
            case .abandoned: isChunked = false
            case .login, .client: fatalError("what is not offered is not taken")
            case .end(let summary):
                if isChunked { checkChunks(summary) }
                steps.append(
                    isChunked
                        ? .chunks(summary.flaw == nil ? content : [], summary)
                        : .message(summary.flaw == nil ? content : [], summary))
                isChunked = false
            }
        }
    }

    private mutating func send(_ reply: Reply) {
        let wire = reply.encoded
        if wire.suffix(2) != [13, 10] || !(200..<600).contains(reply.code) {
            fatalError("a reply is malformed")
        }
        steps.append(.reply(reply))
    }

    /// Of a message in chunks every octet is stored but the CR of a CR LF, and its last line is ended.
    private func checkChunks(_ summary: MessageSummary) {
        if summary.flaw != nil { return }
        if !content.isEmpty && content.last != 10 { fatalError("the last line has no end") }
        let lines = content.count { $0 == 10 }
        if !(content.count + lines - 2...content.count + lines).contains(summary.octets) {
            fatalError("a message in chunks has other octets than were counted")
        }
    }

    /// An address goes into an envelope whose records end in NUL, and into log lines.
    private func check(_ path: ReversePath) {
        let address = path.address
        if address.contains(where: { $0 < 32 || $0 == 127 }) || !address.isUTF8
            || address.count > 256
        {
            fatalError("an address has bytes that none can have, or too many")
        }
    }

    /// What a client wants to be told goes into an envelope, which qmail-queue must be able to read.
    private func check(_ records: [UInt8], after start: String) {
        var reader = EnvelopeReader()
        let envelope = Array(start.utf8) + [0] + records + [0]
        do throws(QueueExit) {
            guard try reader.consume(envelope[...]) == envelope.count - 1, reader.isComplete
            else { fatalError("an envelope ends early") }
        } catch {
            fatalError("an envelope that qmail-queue refuses")
        }
    }
}
