import ByteText
import RemoteDialogue

/// A server that says anything at all, in any pieces.
///
/// The first byte says how it begins, and after how many bytes the pieces end. However they are cut, the session must
/// come to the same end; the message is only sent after 354, the report is printable, and a delivery is a success only
/// if the server's last words were 2xx after the message.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRemote(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    guard let first = bytes.first else { return 0 }
    let said = Array(bytes.dropFirst())
    // A server waits for its turn: a piece is a reply, as far as one can be seen.
    let whole = session(turns(said), first)
    let dripped = session(turns(said).flatMap { $0.map { [$0] } }, first)
    // A reply that is cut is no different, unless something follows it in its piece.
    if whole.result != dripped.result || whole.heard != dripped.heard {
        fatalError("pieces make a difference")
    }
    check(whole)
    check(session([said], first))
    return 0
}

private struct Session {
    var heard: [UInt8] = []
    var sentMessage = false
    var result: SessionResult?
}

/// The lines that end replies end pieces.
private func turns(_ bytes: [UInt8]) -> [[UInt8]] {
    var pieces: [[UInt8]] = [[]]
    var line: [UInt8] = []
    for byte in bytes {
        line.append(byte)
        pieces[pieces.count - 1].append(byte)
        guard byte == UInt8(ascii: "\n") else { continue }
        if line.count < 4 || line[3] != UInt8(ascii: "-") { pieces.append([]) }
        line = []
    }
    return pieces.filter { !$0.isEmpty }
}

private func session(_ pieces: [[UInt8]], _ first: UInt8) -> Session {
    var form = MessageForm()
    form.look(at: [UInt8](first & 1 == 0 ? "text\n" : "\u{e4}\n")[...])
    form.finish()
    guard let sender = MailPath([UInt8]("a@b")), let one = MailPath([UInt8]("c@d")),
        let two = MailPath([UInt8](first & 2 == 0 ? "e@f" : "\u{e4}@f"))
    else { fatalError("these are addresses") }
    let errand = Errand(name: [UInt8]("me"), sender: sender, recipients: [one, two], form: form)
    var dialogue = RemoteDialogue(
        errand, with: RemotePeer(name: [UInt8]("mx"), address: [UInt8]("192.0.2.1")),
        first & 4 == 0
            ? .greeting(wantsTLS: first & 8 != 0)
            : .afterHandshake(version: [UInt8]("TLSv1.3")))
    var session = Session()
    var rest = pieces[...]
    while session.result == nil {
        switch dialogue.next() {
        case .write(let bytes): session.heard += bytes
        case .writeMessage:
            session.sentMessage = true
            dialogue.messageSent()
        case .secure: return session
        case .read:
            if let piece = rest.popFirst() {
                dialogue.received(piece[...])
            } else {
                dialogue.lost(first & 16 == 0 ? .closed : .timedOut)
            }
        case .end(let result): session.result = result
        }
    }
    return session
}

private func check(_ session: Session) {
    guard case .decided(let report) = session.result else {
        if session.sentMessage { fatalError("a message that was sent is not decided about") }
        return
    }
    guard session.sentMessage || report.outcome != .delivered else {
        fatalError("delivered without being sent")
    }
    if session.sentMessage, !report.recipients.contains(where: { $0.answer == .accepted }) {
        fatalError("sent for nobody")
    }
    let encoded = report.encoded
    guard encoded.count <= 3000, encoded.allSatisfy({ $0 == 0 || $0.isPrintable }),
        let decoded = RemoteReport(encoded: encoded), decoded.encoded == encoded
    else { fatalError("a report that cannot be read") }
}
