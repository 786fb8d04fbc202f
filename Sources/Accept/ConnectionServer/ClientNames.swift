import ByteText
import DNSMessage
import Posix
import Resolver

/// What others say about a connection: name servers, and the client's machine.
struct ClientNames {
    /// The server's name, nil when it is not known.
    private(set) var local: [UInt8]?
    /// The client's name, nil when it is not known or not sure enough.
    private(set) var remote: [UInt8]?
    /// The client's user as its machine tells it, nil when it tells nothing.
    private(set) var info: [UInt8]?

    /// How long a name is looked up: as long as ucspi-tcp does.
    private static let lookupMilliseconds = 60_000

    /// Only the server's name may be known.
    init(local: [UInt8]?) { self.local = local }

    /// Ask for what the options want to know.
    init(of sides: Sides, _ options: ServerOptions, _ resolver: Resolver) {
        local = options.localName ?? Self.name(of: sides.local.address, resolver)?.spelledOut
        if options.looksUpHost, let name = Self.name(of: sides.remote.address, resolver),
            !options.isParanoid || Self.name(name, has: sides.remote.address, resolver)
        {
            remote = name.spelledOut
        }
        if options.asksInfo {
            info = Identification.user(
                sides, until: Deadline(milliseconds: options.patience * 1000))
        }
    }

    /// The first name that the address is said to have.
    private static func name(of address: IPAddress, _ resolver: Resolver) -> DomainName? {
        do throws(LookupFailure) {
            let deadline = Deadline(milliseconds: lookupMilliseconds)
            return try resolver.names(of: address, until: deadline).first
        } catch {
            return nil
        }
    }

    /// Whether the name is said to have the address.
    private static func name(
        _ name: DomainName, has address: IPAddress, _ resolver: Resolver
    ) -> Bool {
        let deadline = Deadline(milliseconds: lookupMilliseconds)
        do throws(LookupFailure) {
            let found =
                address.width == 32
                ? try resolver.addresses(of: name, until: deadline)
                : try resolver.wideAddresses(of: name, until: deadline)
            return found.contains(address)
        } catch {
            return false
        }
    }
}

extension DomainName {
    /// The name as ucspi-tcp spells it: in lower case, all but letters, digits, `-` and `_` as `\OOO` in octal.
    var spelledOut: [UInt8] {
        if labels.isEmpty { return [UInt8](".") }
        var text: [UInt8] = []
        for (i, label) in labels.enumerated() {
            if i > 0 { text.append(".") }
            for byte in label {
                if byte.isLetter || byte.isDigit || byte == UInt8(ascii: "-")
                    || byte == UInt8(ascii: "_")
                {
                    text.append(byte.lowercased)
                    continue
                }
                text.append("\\")
                for shift: UInt8 in [6, 3, 0] {
                    text.append(UInt8(ascii: "0") + (byte >> shift & 7))
                }
            }
        }
        return text
    }
}
