import DotQmail
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// The instructions as words: `maildir PATH` and so on.
private func words(_ text: String) throws(DotQmail.Flaw) -> [String] {
    try DotQmail(bytes(text)).instructions.map { instruction in
        let (what, object) =
            switch instruction {
            case .mbox(let path): ("mbox", path)
            case .maildir(let path): ("maildir", path)
            case .program(let command): ("program", command)
            case .forward(let address): ("forward", address)
            }
        return what + " " + String(decoding: object, as: UTF8.self)
    }
}

@Test(
    arguments: [
        ("./Maildir/\n", ["maildir ./Maildir/"]), ("./Maildir/", ["maildir ./Maildir/"]),
        ("/var/mail/joe/\n", ["maildir /var/mail/joe/"]), ("./Mailbox\n", ["mbox ./Mailbox"]),
        ("/x\n", ["mbox /x"]), (".\n", ["mbox ."]), ("/\n", ["maildir /"]),
        ("../x/\n", ["maildir ../x/"]), ("&joe@x\n", ["forward joe@x"]),
        ("joe@x\n", ["forward joe@x"]), ("9@x\n", ["forward 9@x"]), ("-x@y", ["forward -x@y"]),
        ("\"a b\"@x", ["forward \"a b\"@x"]), ("& joe@x", ["forward  joe@x"]),
        ("&&x\n", ["forward &x"]), ("|cat\n", ["program cat"]),
        ("| cat -n  \n", ["program  cat -n"]),
        ("|\n", ["program "]), ("|a|b>c;d `e` $f\n", ["program a|b>c;d `e` $f"]),
        ("||x", ["program |x"]), ("# no\n", []), ("#\n#\n", []), ("#|x\n", []),
        ("# c\n\n \t\n./M/\n", ["maildir ./M/"]), ("./M/ \t \n", ["maildir ./M/"]),
        ("joe@x \t", ["forward joe@x"]), ("joe@x\r\n", ["forward joe@x"]),
        ("./Maildir/\r\n# no\r\n\r\n|cat -v\r\n", ["maildir ./Maildir/", "program cat -v"]),
        ("./a\rb\n", ["mbox ./a\rb"]), ("+list\r\na@b\r\n", ["forward a@b"]),
        (" joe@x\n", ["forward  joe@x"]), ("\tjoe\n", ["forward \tjoe"]),
        (
            "./a\n|b\nc@d\n&e@f\n/g/\n",
            ["mbox ./a", "program b", "forward c@d", "forward e@f", "maildir /g/"]
        ),
        ("+list\n&a@b\n", ["forward a@b"]), ("+other\n&a@b\n", ["forward a@b"]),
        ("+\n&a@b", ["forward a@b"]),
        ("a@b\n\n\n", ["forward a@b"]), ("<a@b>\n", ["forward <a@b>"]),
        ("a@b c@d\n", ["forward a@b c@d"]),
    ] as [(String, [String])])
func `a line is what its first byte says`(text: String, expected: [String]) throws {
    #expect(try words(text) == expected)
}

@Test(
    arguments: [
        ("\n./M/\n", .blankFirstLine), ("\r\n./M/\r\n", .blankFirstLine),
        (" \t\n", .blankFirstLine), ("\n", .blankFirstLine),
        ("&\n", .noAddress(line: 1)), ("#\n& \n", .noAddress(line: 2)),
        ("a@b\0\n", .nul(line: 1)), ("#\na@b\0Tevil@x\n", .nul(line: 2)), ("|x\0\n", .nul(line: 1)),
        ("./M\0/\n", .nul(line: 1)), ("\0", .nul(line: 1)),
    ] as [(String, DotQmail.Flaw)])
func `a file that is not to count says why`(text: String, flaw: DotQmail.Flaw) {
    #expect(throws: flaw) { try DotQmail(bytes(text)) }
    #expect(!flaw.text.isEmpty && flaw.text.allSatisfy { $0 >= 32 && $0 < 127 })
}

@Test func `a NUL in a comment is part of the comment`() throws {
    #expect(try words("#\0\na@b") == ["forward a@b"])
}

@Test func `a list says so`() throws {
    #expect(try DotQmail(bytes("a@b\n+list \n")).isList)
    #expect(try !DotQmail(bytes("a@b\n+lists\n")).isList)
}

private func address(
    _ local: String = "joe-a-b-c", ext: String = "a-b-c", host: String = "x.example",
    sender: String = "ann@y.example"
) -> DeliveryAddress {
    DeliveryAddress(
        user: bytes("joe"), home: bytes("/h"), local: bytes(local), dash: bytes("-"),
        ext: bytes(ext), host: bytes(host), sender: bytes(sender))
}

private func variables(_ address: DeliveryAddress, defaultStart: Int? = nil) -> [String: String] {
    var all: [String: String] = [:]
    for (name, value) in address.variables(
        newSender: [], defaultStart: defaultStart, seconds: 0)
    {
        all["\(name)"] = value.map { String(decoding: $0, as: UTF8.self) }
    }
    return all
}

@Test(
    arguments: [
        ("a-b-c", "b-c", "c", ""), ("a-b-c-d-e", "b-c-d-e", "c-d-e", "d-e"), ("", "", "", ""),
        ("a", "", "", ""), ("-", "", "", ""), ("--", "-", "", ""), ("a-", "", "", ""),
        ("a|b-$(c)", "$(c)", "", ""), ("..-/", "/", "", ""),
    ] as [(String, String, String, String)])
func `the rests of an extension are variables`(
    ext: String, ext2: String, ext3: String, ext4: String
) {
    let all = variables(address(ext: ext))
    #expect(all["EXT"] == ext && all["EXT2"] == ext2 && all["EXT3"] == ext3 && all["EXT4"] == ext4)
}

@Test(
    arguments: [
        ("a.b.c.d", "a.b.c", "a.b", "a"), ("localhost", "localhost", "localhost", "localhost"),
        ("a.b", "a", "a", "a"), ("", "", "", ""), (".", "", "", ""), ("a..b", "a.", "a", "a"),
    ] as [(String, String, String, String)])
func `the beginnings of the host are variables`(
    host: String, two: String, three: String, four: String
) {
    let all = variables(address(host: host))
    #expect(
        all["HOST"] == host && all["HOST2"] == two && all["HOST3"] == three && all["HOST4"] == four)
}

@Test func `what default stands for is a variable only if there is a default`() {
    #expect(variables(address())["DEFAULT"] == nil)
    #expect(variables(address(), defaultStart: 2)["DEFAULT"] == "b-c")
    #expect(variables(address(), defaultStart: 5)["DEFAULT"] == "")
    #expect(variables(address(), defaultStart: 99)["DEFAULT"] == "")
}

@Test(
    arguments: [
        ("", "<>", "MAILER-DAEMON"), ("ann@y", "<ann@y>", "ann@y"), ("#@[]", "<#@[]>", "#@[]"),
        ("a b@y", "<\"a b\"@y>", "a-b@y"), ("a..b@y", "<\"a..b\"@y>", "a..b@y"),
        (".a@y", "<\".a\"@y>", ".a@y"), ("a\"b\\c@y", "<\"a\\\"b\\\\c\"@y>", "a\"b\\c@y"),
        ("a@b@y", "<\"a@b\"@y>", "a@b@y"), ("ann", "<ann>", "ann"), ("@y", "<@y>", "@y"),
        ("a\nBcc: x@y", "<\"a?Bcc: x\"@y>", "a-Bcc:-x@y"),
        ("a\rb\u{1b}c@y", "<a?b?c@y>", "a-b?c@y"), ("<>@y", "<\"<>\"@y>", "<>@y"),
        ("a-@y-@[]", "<\"a-@y-\"@[]>", "a-@y-@[]"),
    ] as [(String, String, String)])
func `the sender is one line, quoted where it must be`(sender: String, path: String, from: String) {
    let address = address(sender: sender)
    #expect(address.returnPath == bytes("Return-Path: \(path)\n"))
    #expect(address.fromLine(seconds: 0) == bytes("From \(from) Thu Jan  1 00:00:00 1970\n"))
}

@Test func `a recipient with a line feed or a CR begins no field`() {
    let address = address("joe-\nBcc: evil@x", host: "h\rX: y")
    #expect(address.deliveredTo == bytes("Delivered-To: joe-?Bcc: evil@x@h?X: y\n"))
}

@Test(arguments: Array(1...31) + [127])
func `no variable has a control byte of an address`(byte: Int) throws {
    let byte = UInt8(byte)
    let text = bytes("a") + [byte] + bytes("b-") + [byte] + bytes("c.d") + [byte]
    let address = DeliveryAddress(
        user: bytes("joe"), home: bytes("/h"), local: bytes("joe-") + text, dash: bytes("-"),
        ext: text, host: text, sender: text)
    let variables = address.variables(newSender: text, defaultStart: 0, seconds: 0)
    #expect(variables.count == 18)
    for (name, value) in variables {
        let line = ["DTLINE", "RPLINE", "UFLINE"].contains("\(name)")
        let value = try #require(value)
        #expect(value.dropLast(line ? 1 : 0).allSatisfy { $0 >= 32 && $0 != 127 }, "\(name)")
    }
}

@Test(
    arguments: [
        ("ann@y", false, false, "ann@y"), ("ann@y", true, false, "joe-a-owner@x.example"),
        ("ann@y", true, true, "joe-a-owner-@x.example-@[]"), ("ann@y", false, true, "ann@y"),
        ("", true, true, ""), ("#@[]", true, true, "#@[]"),
    ] as [(String, Bool, Bool, String)])
func `bounces of a list go to its owner`(
    sender: String, hasOwner: Bool, takesAll: Bool, new: String
) {
    let address = address("joe-a", ext: "a", sender: sender)
    #expect(address.newSender(hasOwner: hasOwner, ownerTakesAll: takesAll) == bytes(new))
}

@Test(
    arguments: [
        ("Delivered-To: a@b\n\n", true), ("X: y\nDelivered-To: a@b\n\n", true),
        ("X: y\nDelivered-To: a@b", false), ("X: y\n\nDelivered-To: a@b\n", false),
        ("Delivered-To: a@bc\n\n", false), ("xDelivered-To: a@b\n\n", false),
        ("Delivered-To: a@B\n\n", false), ("\nDelivered-To: a@b\n", false), ("", false),
        ("Delivered-To: Delivered-To: a@b\n\n", false), (" Delivered-To: a@b\n\n", false),
        ("DDelivered-To: a@b\nDelivered-To: a@b\n\n", true),
    ] as [(String, Bool)])
func `a loop is a line of the header`(message: String, isLooping: Bool) {
    for size in 1...max(1, message.utf8.count) {
        var check = LoopCheck(line: bytes("Delivered-To: a@b\n"))
        var rest = bytes(message)[...]
        while !rest.isEmpty {
            check.read(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        #expect(check.isLooping == isLooping)
    }
}

@Test(
    arguments: [
        ("", "\n"), ("a", "a\n\n"), ("a\n", "a\n\n"), ("From x\n", ">From x\n\n"),
        ("a\nFrom x\n", "a\n>From x\n\n"), (">From x\n>>From y", ">>From x\n>>>From y\n\n"),
        ("From\n", "From\n\n"), ("From", "From\n\n"), (">\n", ">\n\n"), (">>", ">>\n\n"),
        (" From x\n", " From x\n\n"), ("FFrom x\n", "FFrom x\n\n"), ("F>From x\n", "F>From x\n\n"),
        ("From \n", ">From \n\n"), ("a\n\nFrom b\n\n", "a\n\n>From b\n\n\n"),
        ("Fr\nFrom x", "Fr\n>From x\n\n"),
        (">F\n", ">F\n\n"), ("from x\n", "from x\n\n"), ("a\r\nFrom x\r\n", "a\r\n>From x\r\n\n"),
    ] as [(String, String)])
func `no line of a message begins another in an mbox`(message: String, expected: String) {
    for size in 1...max(1, message.utf8.count) {
        var quoting = MboxQuoting()
        var output: [UInt8] = []
        var rest = bytes(message)[...]
        while !rest.isEmpty {
            quoting.add(rest.prefix(size), to: &output)
            rest = rest.dropFirst(size)
        }
        quoting.end(&output)
        #expect(String(decoding: output, as: UTF8.self) == expected)
    }
}
