import CPosix

/// The machine's network interfaces.
package enum Interfaces {
    /// Their addresses in network order, 4 bytes of IPv4 or 16 of IPv6; see getifaddrs(3).
    package static func addresses() throws(Errno) -> [[UInt8]] {
        var first: UnsafeMutablePointer<ifaddrs>?
        try retrying { getifaddrs(&first) }
        defer { freeifaddrs(first) }
        var all: [[UInt8]] = []
        var next = first
        while let entry = next {
            if let address = entry.pointee.ifa_addr { append(UnsafeRawPointer(address), to: &all) }
            next = entry.pointee.ifa_next
        }
        return all
    }

    /// Interfaces have addresses of other families, too.
    private static func append(_ structure: UnsafeRawPointer, to all: inout [[UInt8]]) {
        switch Int32(structure.loadUnaligned(as: sa_family_t.self)) {
        case AF_INET:
            let address = structure.loadUnaligned(as: sockaddr_in.self).sin_addr
            all.append(withUnsafeBytes(of: address) { Array($0) })
        case AF_INET6:
            let address = structure.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            all.append(withUnsafeBytes(of: address) { Array($0) })
        default: break
        }
    }
}
