import ByteText

extension IPAddress {
    /// What counts as one client where sessions are limited: an address of IPv4, or a network of IPv6.
    ///
    /// Whoever has one address of IPv6 has a /64 of them; RFC 6177 and RFC 4291 §2.5.4.
    var clientNetwork: IPAddress {
        isWideClient ? network(ofBits: Self.clientBits) : self
    }

    /// How the log names it.
    var clientNetworkText: [UInt8] {
        guard isWideClient else { return [] }
        return [UInt8]("[") + clientNetwork.text + [UInt8]("]/") + [UInt8](decimal: Self.clientBits)
    }

    private static var clientBits: Int { 64 }
    /// 64:ff9b::/96 is all of IPv4 behind a translator; RFC 6052 §2.1.
    private static var translated: [UInt8] { [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0] }

    private var isWideClient: Bool { width > 32 && !bytes.starts(with: Self.translated) }
}
