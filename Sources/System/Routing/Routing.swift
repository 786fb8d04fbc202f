import ByteText

/// Decides whether a recipient is local or remote, and what his address becomes; see qmail-send(8).
package struct Routing: Sendable {
    private let defaultHost: [UInt8]
    private let isLocal: @Sendable (_ host: [UInt8]) -> Bool
    private let hasPercents: @Sendable (_ host: [UInt8]) -> Bool
    /// What stands before the addresses of an entry of control/virtualdomains; nil when there is no such entry.
    private let prefix: @Sendable (_ key: [UInt8]) -> [UInt8]?

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
        let locals = SortedTexts(locals.map { $0.lowercased })
        let percentDomains = SortedTexts(percentDomains.map { $0.lowercased })
        self.init(
            defaultHost: defaultHost, isLocal: { locals.index(of: $0) != nil },
            hasPercents: { percentDomains.index(of: $0) != nil },
            prefix: Self.prefixes(virtualDomains))
    }

    /// Rules that somebody else looks up; what he is asked about is in lower case.
    ///
    /// - Parameters:
    ///   - defaultHost: What follows the `@` of an address without one.
    ///   - isLocal: Whether a domain's mail is delivered here.
    ///   - hasPercents: Whether `user%host` is `user@host` at a domain.
    ///   - prefix: The prefix of an address or a domain, as `prefixes` finds it.
    package init(
        defaultHost: [UInt8], isLocal: @escaping @Sendable (_ host: [UInt8]) -> Bool,
        hasPercents: @escaping @Sendable (_ host: [UInt8]) -> Bool,
        prefix: @escaping @Sendable (_ key: [UInt8]) -> [UInt8]?
    ) {
        self.defaultHost = defaultHost
        self.isLocal = isLocal
        self.hasPercents = hasPercents
        self.prefix = prefix
    }

    /// The look-up of prefixes in the lines of control/virtualdomains; of two lines for the same the first one counts.
    package static func prefixes(
        _ virtualDomains: [[UInt8]]
    ) -> @Sendable (_ key: [UInt8]) -> [UInt8]? {
        let entries = virtualDomains.compactMap { virtualDomain($0) }
        let order = entries.indices.sorted {
            entries[$0].key.lexicographicallyPrecedes(entries[$1].key)
                || entries[$0].key.elementsEqual(entries[$1].key) && $0 < $1
        }
        let keys = SortedTexts(inOrder: order.map { entries[$0].key })
        let prefixes = order.map { entries[$0].prefix }
        return { key in keys.index(of: key).map { prefixes[$0] } }
    }

    /// The lines of control/virtualdomains for `SortedLines`, each `KEY:PREFIX` with its key in lower case, of those
    /// with the same key the first.
    package static func sortedLines(ofVirtualDomains text: [UInt8]) -> [UInt8] {
        var lines: [(key: [UInt8], line: [UInt8])] = []
        for line in text.lines.map({ $0.trimmed }) where line.first != UInt8(ascii: "#") {
            guard let entry = virtualDomain(line) else { continue }
            let key = entry.key + [UInt8(ascii: ":")]
            lines.append((key, key + entry.prefix))
        }
        return SortedLines.bytes(ofKeyed: lines)
    }

    /// What a line of control/virtualdomains says, its address or domain in lower case; nil when it has no colon.
    package static func virtualDomain(_ line: [UInt8]) -> (key: [UInt8], prefix: [UInt8])? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        return (line[..<colon].map { $0.lowercased }, Array(line[(colon + 1)...]))
    }

    /// Whether a line of control/virtualdomains has what its owner can have meant.
    package static func isVirtualDomain(_ line: [UInt8]) -> Bool {
        virtualDomain(line) != nil && !line.contains { $0.isBlank }
    }

    /// Whether a line can be the domain of an address: more than one on it, or an address, never is.
    package static func isHost(_ line: [UInt8]) -> Bool {
        let others = Array("@,;".utf8)
        return !line.contains { $0.isBlank || others.contains($0) }
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
        while hasPercents(host.map { $0.lowercased }),
            let end = address.lastIndex(of: at),
            let percent = address[..<end].lastIndex(of: UInt8(ascii: "%"))
        {
            address = Array(address[..<percent]) + [at] + Array(address[(percent + 1)..<end])
            host = domain(of: address)
        }
        let lowercased = address.lowercased
        let lowercasedHost = domain(of: lowercased)
        if isLocal(Array(lowercasedHost)) {
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
                !isLocal(host.map { $0.lowercased })
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
        if let prefix = prefix(address) ?? prefix(Array(host)) { return prefix }
        var rest = host
        while let dot = rest.dropFirst().firstIndex(of: UInt8(ascii: ".")) {
            rest = host[dot...]
            if let prefix = prefix(Array(rest)) { return prefix }
        }
        return prefix([])
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
