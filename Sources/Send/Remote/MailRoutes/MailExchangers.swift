import ByteText
import ControlFiles
import DNSMessage
package import Posix
import RelayRoutes
package import RemoteDelivery
package import RemoteDialogue
package import Resolver

/// Why there is no server to ask, as the report to make of it.
package struct NoRoute: Error, Equatable, Sendable {
    /// The report.
    package let report: RemoteReport

    init(_ outcome: RemoteReport.Outcome, _ text: [UInt8]) { report = RemoteReport(outcome, text) }

    init(_ failure: ControlFailure) { report = RemoteReporting.unsettled(failure) }
}

/// Finds the servers that take a domain's mail; RFC 5321 §5.1.
package struct MailExchangers: Sendable {
    private let resolver: Resolver
    private let ownName: DomainName?
    private let ownAddresses: OwnAddresses
    private let deadline: Deadline

    /// The most servers that are asked; more are not looked up.
    private static let targetLimit = 10

    /// Ask the resolver until the deadline; mail is not sent to this machine by its name or addresses.
    package init(
        _ resolver: Resolver, ownName: [UInt8], _ ownAddresses: OwnAddresses,
        until deadline: Deadline
    ) {
        self.resolver = resolver
        self.ownName = DomainName(ownName)
        self.ownAddresses = ownAddresses
        self.deadline = deadline
    }

    /// The servers for a domain, in the order in which they are to be asked.
    ///
    /// - Parameters:
    ///   - domain: A domain's name, or an address in brackets.
    ///   - port: Where they listen.
    /// - Returns: At least one.
    /// - Throws: Why there is none.
    package func targets(for domain: [UInt8], port: UInt16) throws(NoRoute) -> [RemoteTarget] {
        if domain.first == UInt8(ascii: "[") { return [try literal(domain, port)] }
        guard let name = DomainName(domain), name.labels.count > 0 else {
            throw NoRoute(.refused, domain + [UInt8](" is no name that a domain can have (#5.1.2)"))
        }
        var exchanges: [(preference: UInt16, name: DomainName)]
        do throws(LookupFailure) {
            exchanges = try resolver.exchanges(of: name, until: deadline)
        } catch {
            guard error == .noData else { throw Self.noRoute(domain, error) }
            // RFC 5321 §5.1: the domain itself is its mail exchanger.
            exchanges = [(0, name)]
        }
        if exchanges.count == 1, exchanges[0].name.labels.isEmpty {
            throw NoRoute(.refused, domain + [UInt8](" takes no mail, says its null MX (#5.1.10)"))
        }
        exchanges.removeAll { $0.name.labels.isEmpty }
        return try targets(of: inOrder(exchanges), domain, port)
    }

    /// A relay's addresses, which may be this machine's.
    package func relay(_ host: [UInt8], port: UInt16) throws(NoRoute) -> [RemoteTarget] {
        if let address = IPAddress(literal: host) ?? IPAddress(host) {
            return [RemoteTarget(name: host, address: address, port: port)]
        }
        let found = DomainName(host).map { addresses(of: $0) }
        guard let found, !found.addresses.isEmpty else {
            // The route is a mistake that the postmaster mends, and the mail waits for it.
            throw NoRoute(
                .putOff,
                [UInt8]("no address is known of ") + host
                    + [UInt8](", the relay of control/smtproutes (#4.4.3)"))
        }
        return found.addresses.prefix(Self.targetLimit).map {
            RemoteTarget(name: host, address: $0, port: port)
        }
    }

    private func literal(_ text: [UInt8], _ port: UInt16) throws(NoRoute) -> RemoteTarget {
        guard let address = IPAddress(literal: text) else {
            throw NoRoute(.refused, text + [UInt8](" is no address (#5.1.2)"))
        }
        if ownAddresses.contains(address) { throw Self.loop(text) }
        return RemoteTarget(name: text, address: address, port: port)
    }

    /// By preference, those of the same in any order.
    private func inOrder(
        _ exchanges: [(preference: UInt16, name: DomainName)]
    ) -> [(preference: UInt16, name: DomainName)] {
        var shuffled = exchanges
        for i in shuffled.indices.dropFirst().reversed() {
            shuffled.swapAt(i, Chance.number(below: i + 1))
        }
        shuffled.sort { $0.preference < $1.preference }
        return shuffled
    }

    /// The addresses of exchangers that are preferred to this machine, if it is one of them.
    private func targets(
        of exchanges: [(preference: UInt16, name: DomainName)], _ domain: [UInt8], _ port: UInt16
    ) throws(NoRoute) -> [RemoteTarget] {
        var targets: [RemoteTarget] = []
        var group: [RemoteTarget] = []
        // Whether there can be no other addresses, of those before and of the group.
        var isComplete = true
        var isGroupComplete = true
        for (i, exchange) in exchanges.enumerated() {
            if i > 0, exchange.preference != exchanges[i - 1].preference {
                targets += group
                group = []
                isComplete = isComplete && isGroupComplete
                isGroupComplete = true
                if targets.count >= Self.targetLimit { break }
            }
            let found = addresses(of: exchange.name)
            // RFC 5321 §5.1: neither this machine is asked nor those that it is as good as, or better.
            if exchange.name == ownName || found.addresses.contains(where: ownAddresses.contains) {
                guard targets.isEmpty else { return Array(targets.prefix(Self.targetLimit)) }
                // One that is preferred to this machine may have an address later.
                throw isComplete ? Self.loop(domain) : Self.noRoute(domain, .temporary)
            }
            isGroupComplete = isGroupComplete && found.isComplete
            group += found.addresses.map {
                RemoteTarget(name: exchange.name.text, address: $0, port: port)
            }
        }
        targets += group
        if !targets.isEmpty { return Array(targets.prefix(Self.targetLimit)) }
        if !isComplete || !isGroupComplete { throw Self.noRoute(domain, .temporary) }
        throw NoRoute(.refused, domain + [UInt8](" has no server with an address (#5.4.4)"))
    }

    /// The addresses of a name, IPv6 first, and whether there can be no others.
    private func addresses(of name: DomainName) -> (addresses: [IPAddress], isComplete: Bool) {
        var addresses: [IPAddress] = []
        var isComplete = true
        do throws(LookupFailure) {
            addresses = try resolver.wideAddresses(of: name, until: deadline)
        } catch {
            // RFC 4074 §4.2: some servers deny a name of which they know no IPv6 address.
            isComplete = !error.isTemporary
        }
        do throws(LookupFailure) {
            addresses += try resolver.addresses(of: name, until: deadline)
        } catch {
            if error.isTemporary { isComplete = false }
        }
        return (addresses, isComplete)
    }

    private static func noRoute(_ domain: [UInt8], _ failure: LookupFailure) -> NoRoute {
        failure.isTemporary
            ? NoRoute(
                .putOff,
                [UInt8]("the DNS does not answer for ") + domain + [UInt8](" (#4.4.3)"))
            : NoRoute(.refused, [UInt8]("there is no domain ") + domain + [UInt8](" (#5.1.2)"))
    }

    private static func loop(_ domain: [UInt8]) -> NoRoute {
        NoRoute(
            .refused,
            [UInt8]("the mail exchanger of ") + domain
                + [UInt8](" is this machine, where it is no local domain (#5.4.6)"))
    }
}
