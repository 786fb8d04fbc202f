import RemoteDialogue

/// A dialogue with a server that answers from a list, a piece at a time.
struct Server {
    /// What the client wrote, `<message>` for the message and `<TLS>` for a handshake.
    private(set) var heard = ""
    private(set) var result: SessionResult?

    init(
        _ pieces: [String], _ errand: Errand = Server.errand(),
        _ opening: RemoteDialogue.Opening = .greeting(wantsTLS: false),
        ending: RemoteDialogue.Loss = .closed
    ) {
        var dialogue = RemoteDialogue(
            errand,
            with: RemotePeer(name: Array("mx.example".utf8), address: Array("192.0.2.1".utf8)),
            opening)
        var pieces = pieces[...]
        while result == nil {
            switch dialogue.next() {
            case .write(let bytes): heard += String(decoding: bytes, as: UTF8.self)
            case .writeMessage:
                heard += "<message>"
                dialogue.messageSent()
            case .secure:
                heard += "<TLS>"
                return
            case .read:
                if let piece = pieces.popFirst() {
                    dialogue.received(Array(piece.utf8)[...])
                } else {
                    dialogue.lost(ending)
                }
            case .end(let result): self.result = result
            }
        }
    }

    static func errand(
        _ sender: String = "a@b.example", _ recipients: [String] = ["c@d.example"],
        _ message: String = "Subject: x\n\nbody\n"
    ) -> Errand {
        var form = MessageForm()
        form.look(at: Array(message.utf8)[...])
        form.finish()
        return Errand(
            name: Array("me.example".utf8), sender: path(sender),
            recipients: recipients.map { path($0) }, form: form)
    }

    private static func path(_ address: String) -> MailPath {
        guard let path = MailPath(Array(address.utf8)) else { fatalError("\(address) is no path") }
        return path
    }

    /// The report's letters and texts, or `unusable`.
    var parts: [String] {
        switch result {
        case .decided(let report):
            report.encoded.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        case .unusable(let text): ["unusable " + String(decoding: text, as: UTF8.self)]
        case nil: []
        }
    }
    /// The first letter of each part.
    var letters: String { String(parts.compactMap { $0.first }) }
}

/// The replies of a server that takes everything, one after the other.
let polite = [
    "220 mx.example ESMTP\r\n", "250 mx.example\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n",
    "250 2.0.0 taken\r\n",
]

extension [String] {
    /// The list with another reply at an index, and nothing after it if it is the last.
    func with(_ i: Int, _ reply: String) -> [String] {
        var copy = self
        copy[i] = reply
        return copy
    }
}
