import ByteText

extension ArraySlice<UInt8> {
    /// Whether this is an IPv4 address in dotted decimal; RFC 5321 §4.1.3.
    var isIPv4Address: Bool {
        let parts = split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard part.count <= 3, let number = Array(part).decimalValue else { return false }
                return number <= 255
            }
    }

    /// Whether this is an IPv6 address, its last 32 bits perhaps in dotted decimal; RFC 5321 §4.1.3.
    var isIPv6Address: Bool {
        contains(UInt8(ascii: ":")) && IPAddress(Array(self)) != nil
    }
}
