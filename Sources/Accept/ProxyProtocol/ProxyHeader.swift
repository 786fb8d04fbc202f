package import ByteText

/// The header that a proxy sends before a client's bytes: the PROXY protocol of HAProxy, versions 1 and 2.
///
/// It takes bytes as they come and never one that belongs to what follows the header.
package struct ProxyHeader: Sendable {
    /// Bytes in the longest header that is read, of either version.
    ///
    /// Version 1 ends after 107; one of version 2 may tell more than addresses, of which this much.
    package static let limit = 2048

    /// One side of the connection that the proxy has with the client.
    package struct Side: Equatable, Sendable {
        /// Of either family; one of IPv4 that is mapped into IPv6 is one of IPv4.
        package let address: IPAddress
        /// Of TCP.
        package let port: UInt16
    }

    /// What the header says.
    package enum Content: Equatable, Sendable {
        /// The client, and the address that it connected to.
        case relayed(client: Side, server: Side)
        /// The proxy speaks for itself, or does not know the client.
        case direct
    }

    /// How far the reading is.
    package enum Progress: Equatable, Sendable {
        case incomplete
        case complete(Content)
        /// This is not a header.
        case wrong
    }

    /// After a complete or wrong header nothing more is taken.
    package private(set) var progress = Progress.incomplete
    private var bytes: [UInt8] = []
    private static let lineLimit = 107
    private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]
    private static let fixedPart = 16

    /// A header of which nothing has come.
    package init() {}

    /// Take from the start of the bytes what belongs to the header, and return how many that are.
    package mutating func take(_ more: [UInt8]) -> Int {
        for (i, byte) in more.enumerated() {
            guard progress == .incomplete else { return i }
            bytes.append(byte)
            progress = bytes[0] == Self.signature[0] ? binaryProgress : lineProgress
        }
        return more.count
    }

    // MARK: - Version 1: a line of text

    private var lineProgress: Progress {
        let start: StaticString = "PROXY "
        let begins = start.withUTF8Buffer { $0.starts(with: bytes.prefix($0.count)) }
        guard begins, bytes.count <= Self.lineLimit else { return .wrong }
        guard bytes.last == 10 else { return bytes.count == Self.lineLimit ? .wrong : .incomplete }
        guard bytes.count > 7, bytes[bytes.count - 2] == 13 else { return .wrong }
        return Self.content(ofLine: bytes[6..<(bytes.count - 2)])
    }

    private static func content(ofLine line: ArraySlice<UInt8>) -> Progress {
        let words = line.split(separator: 32, omittingEmptySubsequences: false).map { Array($0) }
        guard let family = words.first else { return .wrong }
        // What follows is to be ignored, whatever it is.
        if family.equals("UNKNOWN") { return .complete(.direct) }
        let isWide = family.equals("TCP6")
        guard isWide || family.equals("TCP4"), words.count == 5,
            let client = side(words[1], words[3], isWide: isWide),
            let server = side(words[2], words[4], isWide: isWide)
        else { return .wrong }
        return .complete(.relayed(client: client, server: server))
    }

    private static func side(_ text: [UInt8], _ port: [UInt8], isWide: Bool) -> Side? {
        guard text.contains(UInt8(ascii: ":")) == isWide, let address = IPAddress(text),
            port.count <= 5, port.count == 1 || port.first != UInt8(ascii: "0"),
            let number = port.decimalValue, let port = UInt16(exactly: number)
        else { return nil }
        return Side(address: address, port: port)
    }

    // MARK: - Version 2: bytes at fixed places

    private var binaryProgress: Progress {
        guard Self.signature.starts(with: bytes.prefix(Self.signature.count)) else { return .wrong }
        guard bytes.count >= Self.fixedPart else { return .incomplete }
        let length = Int(bytes[14]) << 8 | Int(bytes[15])
        let command = bytes[12]
        guard command == 0x20 || command == 0x21, Self.fixedPart + length <= Self.limit else {
            return .wrong
        }
        guard bytes.count == Self.fixedPart + length else { return .incomplete }
        if command == 0x20 { return .complete(.direct) }
        return switch bytes[13] {
        case 0x11: relayed(addressLength: 4)
        case 0x21: relayed(addressLength: 16)
        // Not said, or not TCP over IP.
        default: .complete(.direct)
        }
    }

    private func relayed(addressLength: Int) -> Progress {
        let ports = Self.fixedPart + 2 * addressLength
        // More may follow: what else the proxy knows of the connection.
        guard bytes.count >= ports + 4,
            let client = IPAddress(
                bytes: Array(bytes[Self.fixedPart..<(Self.fixedPart + addressLength)])),
            let server = IPAddress(bytes: Array(bytes[(Self.fixedPart + addressLength)..<ports]))
        else { return .wrong }
        return .complete(
            .relayed(
                client: Side(address: client, port: port(at: ports)),
                server: Side(address: server, port: port(at: ports + 2))))
    }

    private func port(at index: Int) -> UInt16 {
        UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])
    }
}
