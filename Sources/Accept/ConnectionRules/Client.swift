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
    package var keys: [[UInt8]] {
        var keys: [[UInt8]] = []
        _ = firstKey {
            keys.append($0); return false
        }
        return keys
    }

    /// The rule that decides about the client, by its key; nil when there is none.
    package func rule<Failure: Error>(
        _ find: ([UInt8]) throws(Failure) -> [UInt8]?
    ) throws(Failure) -> (key: [UInt8], data: [UInt8])? {
        var data: [UInt8]?
        let key = try firstKey { (key) throws(Failure) in
            data = try find(key)
            return data != nil
        }
        guard let key, let data else { return nil }
        return (key, data)
    }

    /// The first of the rules that decides about the client, with its key.
    package func rule(of rules: [Rule]) -> (key: [UInt8], rule: Rule)? {
        var decisive: Rule?
        let key = firstKey { key in
            decisive = rules.first { $0.keys.contains { $0 == key } }
            return decisive != nil
        }
        guard let key, let decisive else { return nil }
        return (key, decisive)
    }

    /// The first key of the client that is wanted.
    ///
    /// The keys of ucspi-tcp in its order, and networks among the prefixes of the address, the longest prefix
    /// first; of two of one length the one that ends in a dot.
    private func firstKey<Failure: Error>(
        where isWanted: ([UInt8]) throws(Failure) -> Bool
    ) throws(Failure) -> [UInt8]? {
        let address = IPAddress(self.address)
        let text = address?.text ?? self.address
        var key: [UInt8] = []
        key.reserveCapacity(64)
        if let info {
            key = info + [UInt8(ascii: "@")] + text
            if try isWanted(key) { return key }
            if let host {
                key = info + [UInt8]("@=") + host
                if try isWanted(key) { return key }
            }
        }
        if try isWanted(text) { return text }
        if let host {
            key = [UInt8(ascii: "=")] + host
            if try isWanted(key) { return key }
        }
        if let address {
            if try Self.findPrefix(of: address, text, &key, where: isWanted) { return key }
        } else {
            for i in text.indices.reversed() where text[i] == UInt8(ascii: ".") {
                key = Array(text[...i])
                if try isWanted(key) { return key }
            }
        }
        if let host {
            for i in host.indices where host[i] == UInt8(ascii: ".") {
                key = [UInt8(ascii: "=")] + host[i...]
                if try isWanted(key) { return key }
            }
            key = [UInt8(ascii: "=")]
            if try isWanted(key) { return key }
        }
        return try isWanted([]) ? [] : nil
    }

    /// Make `key` the first wanted one of the address's prefixes; false when there is none.
    ///
    /// The keys stand in one piece of memory, one after the other: most clients have no rule of their own.
    private static func findPrefix<Failure: Error>(
        of address: IPAddress, _ text: [UInt8], _ key: inout [UInt8],
        where isWanted: ([UInt8]) throws(Failure) -> Bool
    ) throws(Failure) -> Bool {
        var dots = text.indices.reversed().filter { text[$0] == UInt8(ascii: ".") }[...]
        var network = address
        key.removeAll(keepingCapacity: true)
        key += text
        var end = key.count
        for bits in (0...address.width).reversed() {
            if address.width == 32, bits == 8 || bits == 16 || bits == 24,
                let dot = dots.popFirst()
            {
                if try isWanted(Array(text[...dot])) {
                    key = Array(text[...dot])
                    return true
                }
            }
            let shorter = network.network(ofBits: bits)
            if shorter != network {
                network = shorter
                key.removeAll(keepingCapacity: true)
                network.append(to: &key)
                end = key.count
            }
            key.removeSubrange(end...)
            NetworkKey.append(bits: bits, to: &key)
            if try isWanted(key) { return true }
        }
        return false
    }
}
