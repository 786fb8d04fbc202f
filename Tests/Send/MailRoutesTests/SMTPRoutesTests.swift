import ByteText
import MailRoutes
import RelayRoutes
import Testing

private func routes(_ lines: [String]) throws(SMTPRoutes.Flaw) -> SMTPRoutes {
    try SMTPRoutes(lines.map { Array($0.utf8) })
}

private func relay(_ routes: SMTPRoutes, _ domain: String) -> String? {
    routes.relay(for: Array(domain.utf8)).map { relay in
        (relay.host.map { String(decoding: $0, as: UTF8.self) } ?? "MX") + " \(relay.port)"
    }
}

@Test
func `a domain's own line counts before suffixes, the longest first, and these before the rest`()
    throws
{
    let routes = try routes([
        "a.example:one", ".example:two:2525", ".b.example:[192.0.2.1]", "x.b.example:",
        "Y.example::26", ":[IPv6:2001:db8::1]:587", "[192.0.2.9]:three", "[IPv6:::9]:[::1]:2",
    ])
    let rows: [(String, String)] = [
        ("a.example", "one 25"), ("A.EXAMPLE", "one 25"), ("b.a.example", "two 2525"),
        ("b.example", "two 2525"), ("c.b.example", "[192.0.2.1] 25"), ("x.b.example", "MX 25"),
        ("y.example", "MX 26"), ("example", "[IPv6:2001:db8::1] 587"),
        ("[192.0.2.9]", "three 25"), ("[ipv6:::9]", "[::1] 2"),
        ("[192.0.2.8]", "[IPv6:2001:db8::1] 587"),
    ]
    for (domain, wanted) in rows { #expect(relay(routes, domain) == wanted, "\(domain)") }
    #expect(try relay(MailRoutesTests.routes(["a.example:one"]), "b.example") == nil)
}

@Test func `a line that is no route is told`() {
    for line in [
        "a.example", "a.example:one:", "a.example:one:0", "a.example:one:65536",
        "a.example:one:25x",
        "a.example:one:25:user", "a.example:o ne", "a.example:[192.0.2", "a.example:[one]",
        "a.example:2001:db8::1", "[192.0.2.1:one", "[192.0.2.1]x:one", "a.example:..",
    ] {
        do throws(SMTPRoutes.Flaw) {
            _ = try routes([":ok", line])
            Issue.record("\(line) is taken")
        } catch {
            #expect(
                String(decoding: error.text, as: UTF8.self).hasPrefix(
                    "in line \"\(line)\" expected "))
        }
    }
}

@Test func `the machine's own addresses are loopback, none, and those that are listed`() throws {
    let list = { (texts: [String]) in texts.compactMap { IPAddress(Array($0.utf8)) } }
    let own = OwnAddresses(own: list(["192.0.2.1", "2001:db8::1"]), others: list(["127.0.0.9"]))
    for mine in [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "::", "::1", "192.0.2.1", "2001:db8::1",
        "::ffff:192.0.2.1",
    ] {
        #expect(own.contains(try #require(IPAddress(Array(mine.utf8)))), "\(mine)")
    }
    for other in ["127.0.0.9", "192.0.2.2", "::2", "2001:db8::"] {
        #expect(!own.contains(try #require(IPAddress(Array(other.utf8)))), "\(other)")
    }
}

@Test func `sorted routes are those that the lines are, in thousands of files`() throws {
    var random = SystemRandomNumberGenerator()
    let domains = [
        "", "a.example", "A.Example", ".example", ".a.example", "[192.0.2.1]", "[IPv6:::9]", "b",
        "#c",
    ]
    let relays = ["", "r", "[::1]", "R.example", "no host", "[x"]
    let ends = ["", ":26", ":", ":x", ":0", " "]
    let asked = [
        "a.example", "b.a.example", "c.example", "b", "[192.0.2.1]", "[ipv6:::9]", "z", "",
    ]
    for _ in 0..<3000 {
        var text = ""
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            let end =
                Int.random(in: 0..<8, using: &random) == 0
                ? ends.randomElement(using: &random) ?? "" : ""
            let relay =
                Int.random(in: 0..<6, using: &random) == 0
                ? relays.randomElement(using: &random) ?? "" : "r"
            text += " \(domains.randomElement(using: &random) ?? ""):\(relay)\(end)\n"
        }
        let bytes = Array(text.utf8)
        let lines = bytes.lines.map { $0.trimmed }.filter { !$0.isEmpty && $0.first != 35 }
        let sorted = SMTPRoutes.sortedLines(of: bytes)
        do throws(SMTPRoutes.Flaw) {
            let plain = try SMTPRoutes(lines)
            let again = try SMTPRoutes((sorted ?? [58]).lines)
            for domain in asked {
                #expect(relay(plain, domain) == relay(again, domain), "\(text) \(domain)")
            }
        } catch {
            #expect(sorted == nil, "\(text)")
        }
    }
}
