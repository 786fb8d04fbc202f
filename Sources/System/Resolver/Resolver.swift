package import ByteText
import CCares
package import DNSMessage
package import Posix

/// Asks name servers, with c-ares.
///
/// A static program has no NSS, and glibc's own resolver counts its limits in whole seconds and waits for a TCP
/// connection without end; c-ares is static and ends at a moment of the caller's.
package struct Resolver: Sendable {
    /// As ares_set_servers_csv(3) takes them; nil: those of the file.
    private let servers: [UInt8]?
    private let file: [UInt8]

    /// Ask the servers that this machine asks.
    ///
    /// They are those of the variable DNSCACHEIP, addresses between blanks or commas, or else, also when one of
    /// them is none, those of the file, see resolv.conf(5), or else 127.0.0.1. Nothing is appended to names.
    package static func configured(
        _ environment: Environment, file: StaticString = "/etc/resolv.conf"
    ) -> Resolver {
        let list = environment["DNSCACHEIP"] ?? []
        var servers: [UInt8] = []
        for word in list.split(whereSeparator: { $0.isBlank || $0 == UInt8(ascii: ",") }) {
            if !servers.isEmpty { servers.append(",") }
            servers += word
        }
        return Resolver(servers: servers.isEmpty ? nil : servers, file: [UInt8](file))
    }

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

    /// The mail exchangers of a name, in the order of the answer; RFC 5321 §5.1.
    package func exchanges(
        of name: DomainName, until deadline: Deadline
    ) throws(LookupFailure) -> [(preference: UInt16, name: DomainName)] {
        try records(of: name, .exchange, until: deadline).compactMap {
            if case .exchange(let preference, let name) = $0 { (preference, name) } else { nil }
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
        let ending: Channel.Ending
        let channel = try Channel(servers: servers, file: file)
        do throws(Errno) {
            ending = try channel.answer(name.text, type, until: deadline)
        } catch {
            throw .temporary
        }
        switch ending.status {
        case ccares_success: break
        case ccares_not_found: throw .noSuchName
        case ccares_no_data: throw .noData
        case ccares_bad_response: throw .malformed
        default: throw .temporary
        }
        switch Question(name, type).meaning(of: ending.message) {
        case .records(let records): return records
        case .failure(let failure): throw failure
        case .nothing, .malformed: throw .malformed
        case .serverFailure, .truncated: throw .temporary
        }
    }
}

extension RecordData {
    fileprivate var address: IPAddress? {
        if case .address(let address) = self { address } else { nil }
    }
}
