import ByteText
package import ControlFiles
import DNSMessage

/// Where mail for a domain is sent in place of its mail exchangers; control/smtproutes in qmail-control(5).
package struct SMTPRoutes: Sendable {
    /// A server that takes mail for others.
    package struct Relay: Equatable, Sendable {
        /// A name, or an address in dotted decimal or in brackets; nil: the domain's own mail exchangers.
        package let host: [UInt8]?
        /// Where it listens.
        package let port: UInt16
    }

    private enum Form {
        case list([(domain: [UInt8], relay: Relay)])
        /// The lines of `sortedLines`.
        case image(ControlImage.Lines)
    }

    private let form: Form

    /// The port of servers that take mail from others.
    package static let standardPort: UInt16 = 25

    /// A line that is no route.
    package struct Flaw: Error, Equatable, Sendable {
        /// The line, and what was expected in it.
        package let line: [UInt8]
        package let expected: StaticString

        /// What to log.
        package var text: [UInt8] {
            [UInt8]("in line \"") + line + [UInt8]("\" expected ") + [UInt8](expected)
        }

        /// Whether they are the same flaw of the same line.
        package static func == (one: Flaw, other: Flaw) -> Bool {
            one.line == other.line && [UInt8](one.expected) == [UInt8](other.expected)
        }
    }

    /// Read the lines `domain:relay:port`.
    package init(_ lines: [[UInt8]]) throws(Flaw) {
        var routes: [(domain: [UInt8], relay: Relay)] = []
        for line in lines { routes.append(try Self.route(line)) }
        form = .list(routes)
    }

    /// The lines of `sortedLines`, as a server has made them for those whom it starts.
    package init(_ lines: ControlImage.Lines) { form = .image(lines) }

    /// The routes in a file's bytes, for `SortedLines`, each as `domain:relay:port`; nil when a line is no route.
    package static func sortedLines(of text: [UInt8]) -> [UInt8]? {
        var routes: [(key: [UInt8], line: [UInt8])] = []
        for line in text.lines.map({ $0.trimmed }) where !line.isEmpty && line[0] != 35 {
            do throws(Flaw) {
                let (domain, relay) = try route(line)
                let key = domain + [UInt8(ascii: ":")]
                let port = [UInt8](decimal: relay.port)
                routes.append((key, key + (relay.host ?? []) + [UInt8(ascii: ":")] + port))
            } catch {
                return nil
            }
        }
        return SortedLines.bytes(ofKeyed: routes)
    }

    private static func route(
        _ line: [UInt8]
    ) throws(Flaw) -> (domain: [UInt8], relay: Relay) {
        var rest = line[...]
        guard let domain = field(&rest), !rest.isEmpty else {
            throw Flaw(line: line, expected: "domain:relay or domain:relay:port")
        }
        rest = rest.dropFirst()
        guard let host = field(&rest), host.isEmpty || isHost(host) else {
            throw Flaw(line: line, expected: "a host's name, or an address in brackets, as relay")
        }
        var port = standardPort
        if !rest.isEmpty {
            guard let number = Array(rest.dropFirst()).decimalValue,
                let value = UInt16(exactly: number), value > 0
            else { throw Flaw(line: line, expected: "a number from 1 to 65535 as port") }
            port = value
        }
        return (domain.lowercased, Relay(host: host.isEmpty ? nil : host, port: port))
    }

    /// The bytes up to the next colon, which stays, or to the end; colons in brackets are part of them.
    private static func field(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        var end = rest.startIndex
        if rest.first == UInt8(ascii: "[") {
            guard let bracket = rest.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            end = bracket + 1
            guard end == rest.endIndex || rest[end] == UInt8(ascii: ":") else { return nil }
        } else {
            end = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
        }
        let field = Array(rest[..<end]).trimmed
        rest = rest[end...]
        return field
    }

    private static func isHost(_ host: [UInt8]) -> Bool {
        host.first == UInt8(ascii: "[")
            ? IPAddress(literal: host) != nil : DomainName(host) != nil
    }

    /// The relay for a domain: the line of the domain itself, or else of the longest `.suffix` of it, or else the one
    /// without a domain; nil when there is none.
    package func relay(for domain: [UInt8]) -> Relay? {
        let domain = domain.lowercased
        var starts = [domain.startIndex]
        if domain.first != UInt8(ascii: "[") {
            starts += domain.indices.filter { $0 > 0 && domain[$0] == UInt8(ascii: ".") }
        }
        for start in starts + [domain.endIndex] {
            if let relay = exact(domain[start...]) { return relay }
        }
        return nil
    }

    private func exact(_ domain: ArraySlice<UInt8>) -> Relay? {
        switch form {
        case .list(let routes): return routes.first { $0.domain[...] == domain }?.relay
        case .image(let lines):
            guard let line = lines.first(beginningWith: domain + [UInt8(ascii: ":")]) else {
                return nil
            }
            do throws(Flaw) { return try Self.route(line).relay } catch { return nil }
        }
    }
}
