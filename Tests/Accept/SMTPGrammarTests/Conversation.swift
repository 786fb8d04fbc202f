import ByteText
import SMTPGrammar

/// A dialogue whose owner accepts everything, and what came of it.
struct Conversation {
    /// Replies and messages in order.
    enum Step: Equatable {
        case reply(Int, String)
        case sender(String)
        case recipient(String)
        case message(String, MessageSummary)
        case abandoned
        case handshake
        case login(Login)
        case client(ClientClaims)
    }

    private(set) var steps: [Step] = []
    /// Whether the connection would have been closed.
    private(set) var hasQuit = false
    private var dialogue: Dialogue
    private var content: [UInt8] = []

    init(_ settings: Dialogue.Settings = Dialogue.Settings(name: Array("mx.test.example".utf8))) {
        dialogue = Dialogue(settings)
    }

    /// All of the client's bytes at once.
    init(_ text: String, sizeLimit: Int = 0, recipientLimit: Int = 1000, hopLimit: Int = 100) {
        var settings = Dialogue.Settings(name: Array("mx.test.example".utf8))
        settings.sizeLimit = sizeLimit
        settings.recipientLimit = recipientLimit
        settings.hopLimit = hopLimit
        self.init(settings)
        feed(Array(text.utf8)[...])
    }

    mutating func feed(_ bytes: ArraySlice<UInt8>) {
        dialogue.feed(bytes)
        while true {
            switch dialogue.next() {
            case .needInput: return
            case .reply(let reply): add(reply)
            case .startTLS:
                steps.append(.handshake)
                return
            case .quit(let reply), .sendAway(let reply):
                hasQuit = true
                add(reply)
            case .sender(let path):
                steps.append(.sender(String(decoding: path.address, as: UTF8.self)))
                add(dialogue.accept())
            case .recipient(.postmaster):
                steps.append(.recipient("postmaster"))
                add(dialogue.accept())
            case .recipient(.mailbox(let mailbox)):
                steps.append(.recipient(String(decoding: mailbox.address, as: UTF8.self)))
                add(dialogue.accept())
            case .message:
                content = []
                add(dialogue.accept())
            case .chunkedMessage: content = []
            case .content(let bytes): content += bytes
            case .spoiled: break
            case .cutOff(let summary):
                hasQuit = true
                steps.append(.message("", summary))
                return
            case .abandoned: steps.append(.abandoned)
            case .login(let login):
                steps.append(.login(login))
                add(dialogue.accept())
            case .client(let claims): steps.append(.client(claims))
            case .end(let summary):
                // What came of a message before its flaw was found depends on how the bytes were cut.
                let text = summary.flaw == nil ? String(decoding: content, as: UTF8.self) : ""
                steps.append(.message(text, summary))
            }
        }
    }

    private mutating func add(_ reply: Reply) {
        steps.append(.reply(reply.code, String(decoding: reply.enhanced, as: UTF8.self)))
    }

    /// The codes of all replies, with the enhanced ones.
    var replies: [String] {
        steps.compactMap {
            guard case .reply(let code, let enhanced) = $0 else { return nil }
            return enhanced.isEmpty ? "\(code)" : "\(code) \(enhanced)"
        }
    }

    /// The messages that would be queued.
    var messages: [String] {
        steps.compactMap {
            guard case .message(let text, let summary) = $0, summary.flaw == nil else { return nil }
            return text
        }
    }

    /// Why messages would be refused.
    var flaws: [MessageFlaw] {
        steps.compactMap {
            guard case .message(_, let summary) = $0 else { return nil }
            return summary.flaw
        }
    }
}

/// What a client sends before the message.
let opening = "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\nDATA\r\n"
/// The same for a message in chunks.
let chunkOpening = "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\n"
