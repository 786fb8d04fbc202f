package import ByteText
package import DNSMessage
package import Posix

/// Asks name servers; see resolv.conf(5).
///
/// glibc's own resolver counts its time limits in whole seconds and per server, and a static program has no
/// NSS; this one asks the same servers and ends at a moment of the caller's.
package struct Resolver: Sendable {
    /// They are asked in this order.
    let servers: [SocketAddress]

    /// Milliseconds for which each server is waited for, by round; then there are no more rounds.
    private static let patience = [1000, 3000, 11_000, 45_000]

    /// Ask these servers, which must recurse.
    package init(servers: [SocketAddress]) { self.servers = servers }

    /// The IPv4 addresses of a name.
    package func addresses(
        of name: DomainName, until deadline: Deadline
    ) throws(LookupFailure) -> [IPAddress] {
        try records(of: name, .address, until: deadline).compactMap { $0.address }
    }

    /// The IPv6 addresses of a name.
    package func wideAddresses(
        of name: DomainName, until deadline: Deadline
    ) throws(LookupFailure) -> [IPAddress] {
        try records(of: name, .wideAddress, until: deadline).compactMap { $0.address }
    }

    /// The names that an address is said to have; whoever owns the address can say anything.
    package func names(
        of address: IPAddress, until deadline: Deadline
    ) throws(LookupFailure) -> [DomainName] {
        guard let four = DomainName([UInt8]("in-addr.arpa")),
            let six = DomainName([UInt8]("ip6.arpa")),
            let name = DomainName(of: address, below: four, six)
        else { throw .noSuchName }
        return try records(of: name, .pointer, until: deadline).compactMap {
            if case .name(let name) = $0 { name } else { nil }
        }
    }

    /// The texts of a name.
    package func texts(
        of name: DomainName, until deadline: Deadline
    ) throws(LookupFailure) -> [[UInt8]] {
        try records(of: name, .text, until: deadline).compactMap {
            if case .text(let text) = $0 { text } else { nil }
        }
    }

    /// The records of a type that a name has, at least one.
    ///
    /// - Parameters:
    ///   - name: The name as it is; nothing is appended to it.
    ///   - type: Which records.
    ///   - deadline: When the look-up ends in any case.
    /// - Returns: Their data, in the order of the answer.
    /// - Throws: Why there are none.
    package func records(
        of name: DomainName, _ type: RecordType, until deadline: Deadline
    ) throws(LookupFailure) -> [RecordData] {
        var hasMalformed = false
        for patience in Self.patience {
            for server in servers {
                if deadline.hasPassed { throw hasMalformed ? .malformed : .temporary }
                let turn = Deadline(milliseconds: min(patience, deadline.remaining))
                var meaning = Question.Meaning.serverFailure
                do throws(Errno) {
                    meaning = try ask(server, name, type, turn, deadline)
                } catch {
                    // It is not there, or not in time: another one may be.
                }
                switch meaning {
                case .records(let records): return records
                case .failure(let failure): throw failure
                case .malformed: hasMalformed = true
                case .nothing, .truncated, .serverFailure: continue
                }
            }
        }
        throw hasMalformed ? .malformed : .temporary
    }

    private func ask(
        _ server: SocketAddress, _ name: DomainName, _ type: RecordType, _ turn: Deadline,
        _ deadline: Deadline
    ) throws(Errno) -> Question.Meaning {
        let id = try Random.bytes(2)
        let question = Question(name, type, id: UInt16(id[0]) << 8 | UInt16(id[1]))
        let meaning = try Exchange.byDatagram(question, server, until: turn)
        guard meaning == .truncated else { return meaning }
        return try Exchange.byStream(question, server, until: deadline)
    }
}

extension RecordData {
    fileprivate var address: IPAddress? {
        if case .address(let address) = self { address } else { nil }
    }
}
