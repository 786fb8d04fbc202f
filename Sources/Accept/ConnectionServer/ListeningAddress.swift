import ByteText
import DNSMessage
import Posix
import Resolver

/// Where to listen, by what was typed for the host.
struct ListeningAddress {
    /// The addresses, the first of which can be listened on: a machine may have no IPv6.
    let choices: [SocketAddress]

    /// Why there is none.
    enum Failure: Error {
        /// Nobody knows such a host.
        case unknown
        /// For now it cannot be known whether there is one.
        case unsure(Errno)
    }

    /// How long each name is looked up.
    private static let lookupMilliseconds = 60_000

    /// The address of the host, which is a numeric address, a name, or empty or `0` for all addresses.
    init(_ host: [UInt8], port: UInt16, _ environment: Environment) throws(Failure) {
        let texts: [[UInt8]]
        if host.isEmpty || host.equals("0") {
            texts = [[UInt8]("::"), [UInt8]("0.0.0.0")]
        } else if let address = Self.literal(host) {
            texts = [address.text]
        } else {
            texts = [try Self.lookUp(host, environment).text]
        }
        choices = texts.compactMap { SocketAddress.internet($0, port: port) }
    }

    /// The address that this is itself: brackets may stand around it, and zeros before its numbers.
    private static func literal(_ host: [UInt8]) -> IPAddress? {
        let text = host.filter { $0 != UInt8(ascii: "[") && $0 != UInt8(ascii: "]") }
        if text.contains(UInt8(ascii: ":")) { return IPAddress(text) }
        let numbers = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .map { Array($0).decimalValue ?? 256 }
        guard numbers.count == 4, numbers.allSatisfy({ $0 < 256 }) else { return nil }
        return IPAddress(bytes: numbers.map { UInt8($0) })
    }

    /// The first address of the first name, as they are asked for, that has one; IPv4 before IPv6.
    private static func lookUp(
        _ host: [UInt8], _ environment: Environment
    ) throws(Failure) -> IPAddress {
        let names: [[UInt8]]
        do throws(Errno) {
            names = try HostQualification(environment, hostName: Process.hostName).names(host)
        } catch {
            throw .unsure(error)
        }
        let resolver = Resolver.configured(environment)
        for text in names {
            if let address = literal(text) { return address }
            guard let name = DomainName(text) else { throw .unsure(.protocolError) }
            for wide in [false, true] {
                let deadline = Deadline(milliseconds: lookupMilliseconds)
                do throws(LookupFailure) {
                    let found =
                        wide
                        ? try resolver.wideAddresses(of: name, until: deadline)
                        : try resolver.addresses(of: name, until: deadline)
                    if let address = found.first { return address }
                } catch {
                    if error == .malformed { throw .unsure(.protocolError) }
                    if error.isTemporary { throw .unsure(.timedOut) }
                }
            }
        }
        throw .unknown
    }
}
