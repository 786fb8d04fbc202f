import ByteText
import SMTPGrammar

/// A message by DATA, and by BDAT in chunks of any size: the same content, or both are refused.
///
/// The first two bytes choose the sizes of the chunks and how the client's bytes are cut; the rest is the
/// message as it is before dots are doubled.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzBDAT(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    guard bytes.count >= 2 else { return 0 }
    let message = Array(bytes.dropFirst(2))
    let cut = Int(bytes[1] % 97) + 1
    let byData = Receiver.outcome(of: dataCommands(message), cut: cut)
    let byChunks = Receiver.outcome(of: chunkCommands(message, seed: bytes[0]), cut: cut)
    guard byData.messages == 1, byChunks.messages == 1 else { fatalError("not one message") }
    guard byData.isRefused == byChunks.isRefused else { fatalError("only one way is refused") }
    if !byData.isRefused, byData.content != byChunks.content { fatalError("other content") }
    if byData.content.count > message.count + 1 { fatalError("content that was not sent") }
    return 0
}

private let opening: StaticString =
    "EHLO c\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<d@test.example>\r\n"

private func dataCommands(_ message: [UInt8]) -> [UInt8] {
    var input = [UInt8](opening) + [UInt8]("DATA\r\n")
    var isAtLineStart = true
    for (i, byte) in message.enumerated() {
        if isAtLineStart, byte == UInt8(ascii: ".") { input.append(byte) }
        input.append(byte)
        isAtLineStart = byte == 10 && i > 0 && message[i - 1] == 13
    }
    if !isAtLineStart { input.append("\r\n") }
    return input + [UInt8](".\r\n")
}

private func chunkCommands(_ message: [UInt8], seed: UInt8) -> [UInt8] {
    var input = [UInt8](opening)
    var state = UInt32(seed) + 1
    var position = 0
    repeat {
        state = state &* 1_664_525 &+ 1_013_904_223
        let count = min(
            message.count - position, Int(state >> 24 & (state >> 16 & 1 == 0 ? 3 : 63)))
        let isLast = position + count == message.count
        input.append("BDAT ")
        input.append(decimal: count)
        input.append(isLast ? " LAST\r\n" : "\r\n")
        input += message[position..<position + count]
        position += count
        if isLast { break }
    } while true
    return input
}

/// Who owns a dialogue in qmail-smtpd's place, and accepts everything.
private struct Receiver {
    var messages = 0
    var isRefused = false
    var content: [UInt8] = []

    static func outcome(of input: [UInt8], cut: Int) -> Receiver {
        var dialogue = Dialogue(Dialogue.Settings(name: [UInt8]("mx.test.example")))
        var receiver = Receiver()
        var position = 0
        while position < input.count {
            let end = min(position + cut, input.count)
            dialogue.feed(input[position..<end])
            receiver.take(&dialogue)
            position = end
        }
        return receiver
    }

    private mutating func take(_ dialogue: inout Dialogue) {
        while true {
            switch dialogue.next() {
            case .needInput: return
            case .sender, .recipient, .message: _ = dialogue.accept()
            case .content(let bytes): content += bytes
            case .end(let summary):
                messages += 1
                isRefused = summary.flaw != nil
            case .quit, .sendAway: fatalError("the session has ended")
            case .cutOff: fatalError("no input is so long")
            case .startTLS, .login, .client: fatalError("what is not offered is not taken")
            case .reply, .chunkedMessage, .spoiled, .abandoned: break
            }
        }
    }
}
