import ByteText
package import Posix

extension Resolver {
    /// The most servers that are asked.
    private static let serverLimit = 16

    /// Ask the servers that this machine asks.
    ///
    /// They are those of the variable DNSCACHEIP, addresses between blanks or commas, or else of the lines
    /// `nameserver` in the file, see resolv.conf(5), or else 127.0.0.1. The other lines mean nothing here.
    package static func configured(
        _ environment: Environment, file: StaticString = "/etc/resolv.conf"
    ) -> Resolver {
        var servers: [SocketAddress] = []
        if let list = environment["DNSCACHEIP"] {
            let words = list.split { $0.isBlank || $0 == UInt8(ascii: ",") }
            servers = words.compactMap { SocketAddress.nameServer(Array($0)) }
        }
        if servers.isEmpty { servers = listed(in: [UInt8](file)) }
        if servers.isEmpty, let local = SocketAddress.nameServer([UInt8]("127.0.0.1")) {
            servers = [local]
        }
        return Resolver(servers: Array(servers.prefix(serverLimit)))
    }

    private static func listed(in file: [UInt8]) -> [SocketAddress] {
        let contents: [UInt8]
        do throws(Errno) { contents = try Files.contents(file) } catch {
            // Without the file this machine's own server is asked, as resolv.conf(5) says.
            return []
        }
        return contents.lines.compactMap { line in
            let words = line.words
            guard words.count >= 2, words[0].equals("nameserver") else { return nil }
            return .nameServer(words[1])
        }
    }
}

extension SocketAddress {
    /// RFC 1035 §4.2.
    private static let domainPort: UInt16 = 53

    /// Where a name server with this address listens; nil when it is none.
    fileprivate static func nameServer(_ address: [UInt8]) -> SocketAddress? {
        internet(address, port: domainPort)
    }
}
