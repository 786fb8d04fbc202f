import ByteText
import SMTPGrammar

/// What a client says in AUTH and XCLIENT: base64 has one text for each value, and of the rest only what can stand
/// in logs, variables and questions comes through.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAuth(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    if let value = Base64.decoded(bytes), encoded(value) != bytes {
        fatalError("base64 of another form was read")
    }
    if Base64.decoded(encoded(bytes)) != bytes { fatalError("base64 is not read as it is written") }
    for answer in [bytes, encoded(bytes)] {
        talk([UInt8]("AUTH PLAIN\r\n") + answer + [13, 10])
        talk([UInt8]("AUTH PLAIN ") + answer + [13, 10])
        talk([UInt8]("AUTH LOGIN\r\n") + answer + [UInt8]("\r\nQQ==\r\n"))
    }
    talk([UInt8]("XCLIENT ") + bytes + [13, 10])
    return 0
}

private func talk(_ line: [UInt8]) {
    var settings = Dialogue.Settings(name: [UInt8]("mx.test.example"))
    settings.hasAuthentication = true
    settings.allowsOpenLogin = true
    settings.believesClaims = true
    var dialogue = Dialogue(settings)
    dialogue.feed(([UInt8]("EHLO c\r\n") + line)[...])
    while true {
        switch dialogue.next() {
        case .needInput, .quit: return
        case .login(let login): check(login)
        case .client(let claims): check(claims, dialogue)
        default: continue
        }
    }
}

private func check(_ login: Login) {
    if login.isPlausible,
        login.user.contains(where: { $0 < 32 || $0 == 127 })
            || login.password.contains(0) || login.password.isEmpty
    {
        fatalError("a login that no program can be asked about")
    }
}

private func check(_ claims: ClientClaims, _ dialogue: Dialogue) {
    for text in [claims.name.value, claims.helo.value, claims.login.value] {
        if let text, text.isEmpty || text.count > 255 || text.contains(where: { $0 < 32 }) {
            fatalError("a claim that cannot stand in a variable")
        }
    }
    for address in [claims.address.value, claims.ownAddress.value] {
        if let address, IPAddress(address.text) != address {
            fatalError("an address without a text")
        }
    }
    if dialogue.user != claims.login.value ?? [] { fatalError("a user whom nobody named") }
}

private func encoded(_ bytes: [UInt8]) -> [UInt8] {
    let digits = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        var bits = 0
        for byte in group { bits = bits << 8 | Int(byte) }
        bits <<= 8 * (3 - group.count)
        for i in 0..<4 {
            text.append(i <= group.count ? digits[bits >> (18 - 6 * i) & 63] : UInt8(ascii: "="))
        }
    }
    return text
}
