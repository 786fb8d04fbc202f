package import ByteText

extension IPAddress {
    /// The address of a literal such as `[192.0.2.1]` or `[IPv6:2001:db8::1]`, RFC 5321 §4.1.3; `IPv6:` may be left
    /// out.
    package init?(literal text: [UInt8]) {
        guard text.count > 2, text.first == UInt8(ascii: "["), text.last == UInt8(ascii: "]")
        else { return nil }
        var address = Array(text.dropFirst().dropLast())
        if address.startsIgnoringCase(with: "IPv6:") { address = Array(address.dropFirst(5)) }
        self.init(address)
    }
}
