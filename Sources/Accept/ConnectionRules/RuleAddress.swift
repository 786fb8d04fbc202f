import ByteText

/// The part of a rule before its colon: which clients the rule is for.
enum RuleAddress {
    /// The keys under which the clients of an address find its rule.
    static func keys(_ text: ArraySlice<UInt8>) throws(Misfit) -> [[UInt8]] {
        guard let first = text.first else { return [[]] }
        if first == UInt8(ascii: "=") {
            try checkHost(text.dropFirst(), mayBePattern: true)
            return [Array(text)]
        }
        if let at = text.lastIndex(of: UInt8(ascii: "@")) { return [try withInfo(text, at)] }
        if text.contains(UInt8(ascii: ":")) { return [try wideKey(text)] }
        guard first.isDigit else {
            throw Misfit(
                text.startIndex,
                "an address, \"=\" and a host's name, or nothing before \":allow\" or \":deny\"")
        }
        if let slash = text.firstIndex(of: UInt8(ascii: "/")) {
            return [try narrowNetwork(text, slash)]
        }
        var numbers = DottedNumbers(text)
        try numbers.read()
        return numbers.keys
    }

    /// `info@address` or `info@=host`.
    private static func withInfo(
        _ text: ArraySlice<UInt8>, _ at: Int
    ) throws(Misfit) -> [UInt8] {
        if let index = text[..<at].firstIndex(where: { $0 < 32 || $0 == 127 }) {
            throw Misfit(index, "no control character")
        }
        let client = text[(at + 1)...]
        if client.first == UInt8(ascii: "=") {
            try checkHost(client.dropFirst(), mayBePattern: false)
            return Array(text)
        }
        guard let address = IPAddress(Array(client)) else {
            throw Misfit(at + 1, "an address or \"=\" and a host's name after \"@\"")
        }
        return Array(text[...at]) + address.text
    }

    private static func checkHost(
        _ name: ArraySlice<UInt8>, mayBePattern: Bool
    ) throws(Misfit) {
        let isPattern = name.first.map { $0 == UInt8(ascii: ".") } ?? true
        guard mayBePattern || !isPattern else { throw Misfit(name.startIndex, "a host's name") }
        let wrong = name.firstIndex {
            !$0.isLetter && !$0.isDigit && $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "_")
                && $0 != UInt8(ascii: ".")
        }
        if let wrong {
            throw Misfit(wrong, "letters, digits, \"-\", \"_\" and \".\" in a host's name")
        }
    }

    /// An IPv6 address or network.
    private static func wideKey(_ text: ArraySlice<UInt8>) throws(Misfit) -> [UInt8] {
        let end = text.firstIndex(of: UInt8(ascii: "/")) ?? text.endIndex
        guard let address = IPAddress(Array(text[..<end])) else {
            let wrong = text[..<end].firstIndex {
                $0.hexadecimalValue == nil && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: ".")
            }
            throw Misfit(wrong ?? text.startIndex, "an IPv6 address")
        }
        guard end < text.endIndex else { return address.text }
        let bits = try bitCount(text[(end + 1)...], most: 128)
        // The network of a mapped address is one of IPv4.
        return try network(address, bits: bits - (128 - address.width), at: text.startIndex)
    }

    /// An IPv4 network, whose last zeros may have been left out.
    private static func narrowNetwork(
        _ text: ArraySlice<UInt8>, _ slash: Int
    ) throws(Misfit) -> [UInt8] {
        var bytes: [UInt8] = []
        var next = text.startIndex
        while true {
            let (number, end) = try DottedNumbers.number(text[..<slash], from: next)
            bytes.append(UInt8(truncatingIfNeeded: number))
            next = end
            if next == slash { break }
            guard bytes.count < 4, text[next] == UInt8(ascii: ".") else {
                throw Misfit(next, bytes.count < 4 ? "\".\" or \"/\"" : "\"/\"")
            }
            next += 1
        }
        let bits = try bitCount(text[(slash + 1)...], most: 32)
        bytes += [UInt8](repeating: 0, count: 4 - bytes.count)
        guard let address = IPAddress(bytes: bytes) else {
            throw Misfit(text.startIndex, "an IPv4 address")
        }
        return try network(address, bits: bits, at: text.startIndex)
    }

    private static func bitCount(
        _ text: ArraySlice<UInt8>, most: Int
    ) throws(Misfit) -> Int {
        let hasLeadingZero = text.count > 1 && text.first == UInt8(ascii: "0")
        guard !hasLeadingZero, let count = Array(text).decimalValue, count <= most else {
            throw Misfit(
                text.startIndex, [UInt8]("a number of bits from 0 to ") + .init(decimal: most))
        }
        return count
    }

    /// The key of a network, if it is one: no bit is set after its prefix.
    private static func network(
        _ address: IPAddress, bits: Int, at index: Int
    ) throws(Misfit) -> [UInt8] {
        let network = address.network(ofBits: bits)
        guard bits >= 0, network == address else {
            throw Misfit(
                index,
                [UInt8]("only zeros after the first ") + .init(decimal: max(0, bits))
                    + [UInt8](" bits, as in ") + NetworkKey.key(network.text, bits: max(0, bits)))
        }
        return NetworkKey.key(network.text, bits: bits)
    }
}

/// The key of a network: its address as text and the bits of its prefix, as in `10.0.0.0/8`.
///
/// ucspi-tcp's programs look up no key with a slash.
enum NetworkKey {
    static func key(_ network: [UInt8], bits: Int) -> [UInt8] {
        var key = network
        append(bits: bits, to: &key)
        return key
    }

    /// Make a key of the network's text.
    static func append(bits: Int, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "/"))
        text.append(decimal: bits)
    }
}
