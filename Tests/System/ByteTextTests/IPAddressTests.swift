import ByteText
import Testing

@Test(
    arguments: [
        ("0.0.0.0", "0.0.0.0"), ("255.1.20.3", "255.1.20.3"), ("::", "::"), ("::1", "::1"),
        ("1::", "1::"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("2001:0db8::0001", "2001:db8::1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("0:0:1::", "0:0:1::"), ("fe80::1.2.3.4", "fe80::102:304"),
        ("::ffff:1.2.3.4", "1.2.3.4"), ("::FFFF:102:304", "1.2.3.4"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::abcd:0:0", "::abcd:0:0"),
    ] as [(String, String)]
)
func `an address has one text whatever it was written as`(written: String, text: String) throws {
    let address = try #require(IPAddress(Array(written.utf8)))
    #expect(String(decoding: address.text, as: UTF8.self) == text)
    #expect(IPAddress(address.text) == address)
}

@Test(
    arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "256.1.1.1", "01.2.3.4", "1.2.3.04",
        "1.2.3.4 ", "1..2.3", "-1.2.3.4", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", ":1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", "g::", "::1%eth0", "1.2.3.4::",
        "::1.2.3", "::1.2.3.4:5", "::01.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "[::1]", "::1/64",
    ])
func `what is not an address is not taken for one`(text: String) {
    #expect(IPAddress(Array(text.utf8)) == nil)
}

@Test(
    arguments: [
        ("255.255.255.255", 0, "0.0.0.0"), ("255.255.255.255", 9, "255.128.0.0"),
        ("255.255.255.255", 32, "255.255.255.255"), ("10.1.2.255", 25, "10.1.2.128"),
        ("ffff::ffff", 0, "::"), ("2001:db8:ffff::1", 33, "2001:db8:8000::"),
        ("ffff::ffff", 128, "ffff::ffff"), ("ffff::ffff", 127, "ffff::fffe"),
    ] as [(String, Int, String)]
)
func `a network keeps the first bits`(written: String, bits: Int, text: String) throws {
    let address = try #require(IPAddress(Array(written.utf8)))
    #expect(String(decoding: address.network(ofBits: bits).text, as: UTF8.self) == text)
}
