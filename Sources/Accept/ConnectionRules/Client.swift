import ByteText

/// Who connects, as far as rules tell clients apart.
package struct Client: Sendable {
    /// `TCPREMOTEIP`: an address, or whatever else it was set to.
    package var address: [UInt8]
    /// `TCPREMOTEHOST`, when it is known.
    package var host: [UInt8]?
    /// `TCPREMOTEINFO`, when it is known.
    package var info: [UInt8]?

    /// A client of these three.
    package init(address: [UInt8], host: [UInt8]? = nil, info: [UInt8]? = nil) {
        self.address = address
        self.host = host
        self.info = info
    }

    /// What is looked up, in order; the first key that has a rule decides.
    ///
    /// Those of ucspi-tcp in its order, and networks among the prefixes of the address, the longest prefix
    /// first; of two of one length the one that ends in a dot.
    package var keys: [[UInt8]] {
        let address = IPAddress(self.address)
        let text = address?.text ?? self.address
        var keys: [[UInt8]] = []
        if let info {
            keys.append(info + [UInt8(ascii: "@")] + text)
            if let host { keys.append(info + [UInt8]("@=") + host) }
        }
        keys.append(text)
        if let host { keys.append([UInt8(ascii: "=")] + host) }
        if let address {
            Self.appendPrefixes(of: address, text, to: &keys)
        } else {
            for i in text.indices.reversed() where text[i] == UInt8(ascii: ".") {
                keys.append(Array(text[...i]))
            }
        }
        if let host {
            for i in host.indices where host[i] == UInt8(ascii: ".") {
                keys.append([UInt8(ascii: "=")] + host[i...])
            }
            keys.append([UInt8(ascii: "=")])
        }
        keys.append([])
        return keys
    }

    private static func appendPrefixes(
        of address: IPAddress, _ text: [UInt8], to keys: inout [[UInt8]]
    ) {
        var end = text.endIndex
        var network = address
        var networkText = text
        for bits in (0...address.width).reversed() {
            let shorter = network.network(ofBits: bits)
            if shorter != network {
                network = shorter
                networkText = network.text
            }
            if address.width == 32, bits == 8 || bits == 16 || bits == 24 {
                end = text[..<end].lastIndex(of: UInt8(ascii: ".")) ?? 0
                keys.append(Array(text[..<end]) + [UInt8(ascii: ".")])
            }
            keys.append(NetworkKey.key(networkText, bits: bits))
        }
    }

    /// The rule that decides about the client, by its key; nil when there is none.
    package func rule<Failure: Error>(
        _ find: ([UInt8]) throws(Failure) -> [UInt8]?
    ) throws(Failure) -> (key: [UInt8], data: [UInt8])? {
        for key in keys {
            if let data = try find(key) { return (key, data) }
        }
        return nil
    }

    /// The first of the rules that decides about the client, with its key.
    package func rule(of rules: [Rule]) -> (key: [UInt8], rule: Rule)? {
        for key in keys {
            for rule in rules where rule.keys.contains(where: { $0 == key }) {
                return (key, rule)
            }
        }
        return nil
    }
}
