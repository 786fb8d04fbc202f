import ByteText

/// Decides whether a recipient is local or remote, and what his address becomes; see qmail-send(8).
package struct Routing: Sendable {
    private let defaultHost: [UInt8]
    private let locals: SortedTexts
    private let percentDomains: SortedTexts
    private let virtualDomains: SortedTexts
    /// What stands before the address of a virtual domain, by the index in `virtualDomains`.
    private let prefixes: [[UInt8]]

    /// Rules from the lines of control files.
    ///
    /// - Parameters:
    ///   - defaultHost: What follows the `@` of an address without one; control/envnoathost.
    ///   - locals: Domains whose mail is delivered here; control/locals.
    ///   - percentDomains: Domains at which `user%host` is `user@host`; control/percenthack.
    ///   - virtualDomains: Lines `ADDRESS:PREFIX`; control/virtualdomains. One without a colon is skipped.
    package init(
        defaultHost: [UInt8], locals: [[UInt8]], percentDomains: [[UInt8]],
        virtualDomains: [[UInt8]]
    ) {
        self.defaultHost = defaultHost
        self.locals = SortedTexts(locals.map { $0.lowercased })
        self.percentDomains = SortedTexts(percentDomains.map { $0.lowercased })
        var entries: [(key: [UInt8], prefix: [UInt8])] = []
        for line in virtualDomains {
            if let entry = Self.virtualDomain(line) { entries.append(entry) }
        }
        // Of two lines for the same the first one counts.
        let order = entries.indices.sorted {
            entries[$0].key.lexicographicallyPrecedes(entries[$1].key)
                || entries[$0].key.elementsEqual(entries[$1].key) && $0 < $1
        }
        self.virtualDomains = SortedTexts(inOrder: order.map { entries[$0].key })
        prefixes = order.map { entries[$0].prefix }
    }

    /// What a line of control/virtualdomains says, its address or domain in lower case; nil when it has no colon.
    package static func virtualDomain(_ line: [UInt8]) -> (key: [UInt8], prefix: [UInt8])? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        return (line[..<colon].map { $0.lowercased }, Array(line[(colon + 1)...]))
    }

    /// Where a recipient's mail goes.
    package struct Route: Equatable, Sendable {
        /// Whether it is delivered on this machine.
        package let isLocal: Bool
        /// The address for the program that delivers.
        package let address: [UInt8]
    }

    /// The route for an address of the envelope.
    package func route(_ recipient: [UInt8]) -> Route {
        let at = UInt8(ascii: "@")
        var address = recipient
        if !address.contains(at) { address += [at] + defaultHost }
        var host = domain(of: address)
        while percentDomains.index(of: host.map { $0.lowercased }) != nil,
            let end = address.lastIndex(of: at),
            let percent = address[..<end].lastIndex(of: UInt8(ascii: "%"))
        {
            address = Array(address[..<percent]) + [at] + Array(address[(percent + 1)..<end])
            host = domain(of: address)
        }
        let lowercased = address.lowercased
        let lowercasedHost = domain(of: lowercased)
        if locals.index(of: Array(lowercasedHost)) != nil {
            return Route(isLocal: true, address: address)
        }
        guard let prefix = prefix(lowercased, host: lowercasedHost), !prefix.isEmpty else {
            return Route(isLocal: false, address: address)
        }
        return Route(isLocal: true, address: prefix + [UInt8(ascii: "-")] + address)
    }

    /// The address in an envelope that became this one, without the prefix of a virtual domain.
    package func original(_ address: [UInt8]) -> [UInt8] {
        let host = domain(of: address)
        var end = address.firstIndex(of: UInt8(ascii: "-"))
        while let hyphen = end {
            let rest = Array(address[(hyphen + 1)...])
            let lowercased = rest.lowercased
            if let prefix = prefix(lowercased, host: domain(of: lowercased)), !prefix.isEmpty,
                prefix.elementsEqual(address[..<hyphen]),
                locals.index(of: host.map { $0.lowercased }) == nil
            {
                return rest
            }
            end = rest.firstIndex(of: UInt8(ascii: "-")).map { hyphen + 1 + $0 }
        }
        return address
    }

    private func domain(of address: [UInt8]) -> ArraySlice<UInt8> {
        guard let at = address.lastIndex(of: UInt8(ascii: "@")) else { return [] }
        return address[(at + 1)...]
    }

    /// The prefix for the whole address, the domain, its longest parent with a dot before it, or for all.
    private func prefix(_ address: [UInt8], host: ArraySlice<UInt8>) -> [UInt8]? {
        if let i = virtualDomains.index(of: address) { return prefixes[i] }
        if let i = virtualDomains.index(of: Array(host)) { return prefixes[i] }
        var rest = host
        while let dot = rest.dropFirst().firstIndex(of: UInt8(ascii: ".")) {
            rest = host[dot...]
            if let i = virtualDomains.index(of: Array(rest)) { return prefixes[i] }
        }
        return virtualDomains.index(of: []).map { prefixes[$0] }
    }
}

/// Texts for look-ups, in order.
struct SortedTexts: Sendable {
    private let texts: [[UInt8]]

    init(_ texts: [[UInt8]]) {
        self.texts = texts.sorted { $0.lexicographicallyPrecedes($1) }
    }

    init(inOrder texts: [[UInt8]]) { self.texts = texts }

    /// The index of the first that equals it, in order.
    func index(of text: [UInt8]) -> Int? {
        var low = 0
        var high = texts.count
        while low < high {
            let middle = (low + high) / 2
            if texts[middle].lexicographicallyPrecedes(text) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low < texts.count && texts[low].elementsEqual(text) ? low : nil
    }
}
