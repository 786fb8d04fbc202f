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
        var groups = 0
        var isCompressed = false
        var rest = self
        if rest.starts(with: [UInt8(ascii: ":"), UInt8(ascii: ":")]) {
            isCompressed = true
            rest = rest.dropFirst(2)
            if rest.isEmpty { return true }
        }
        while true {
            let group = rest.prefix { $0 != UInt8(ascii: ":") }
            rest = rest.dropFirst(group.count)
            if rest.isEmpty, group.isIPv4Address {
                groups += 2
                break
            }
            guard (1...4).contains(group.count), group.allSatisfy({ $0.isHexDigit }) else {
                return false
            }
            groups += 1
            if rest.isEmpty { break }
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: ":") {
                if isCompressed { return false }
                isCompressed = true
                rest = rest.dropFirst()
                if rest.isEmpty { break }
            }
        }
        return isCompressed ? groups < 8 : groups == 8
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool {
        let low = self | 0x20
        return isDigit || (low >= UInt8(ascii: "a") && low <= UInt8(ascii: "f"))
    }
}
