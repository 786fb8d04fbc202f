package import Address
import ByteText

/// Makes addresses whole: what stands for what their writer has left out.
package struct AddressCompletion: Sendable {
    /// The domain of an address without one.
    package let defaultHost: [UInt8]
    /// What a domain without dots is in, unless it is that one: a host's whole name may have none.
    package let defaultDomain: [UInt8]
    /// What a domain that ends in `+` is in.
    package let plusDomain: [UInt8]

    /// A completion with these domains, without dots before them.
    package init(defaultHost: [UInt8], defaultDomain: [UInt8], plusDomain: [UInt8]) {
        self.defaultHost = defaultHost
        self.defaultDomain = defaultDomain
        self.plusDomain = plusDomain
    }

    /// The address with a whole domain; one with a literal, or with the domain `localhost`, is whole already.
    package func completed(_ address: MailAddress) -> MailAddress {
        var domain = Self.withoutEndingDots(address.domain ?? [])
        if domain.isEmpty { domain = Self.withoutEndingDots(defaultHost) }
        if domain.last == UInt8(ascii: "+") {
            domain.removeLast()
            domain = Self.join(domain, plusDomain)
        } else if !domain.contains(UInt8(ascii: ".")), domain.first != UInt8(ascii: "["),
            !domain.equalsIgnoringCase("localhost"), domain.lowercased != defaultDomain.lowercased
        {
            domain = Self.join(domain, defaultDomain)
        }
        return MailAddress(localPart: address.localPart, domain: domain)
    }

    private static func withoutEndingDots(_ domain: [UInt8]) -> [UInt8] {
        var domain = domain
        while domain.last == UInt8(ascii: ".") { domain.removeLast() }
        return domain
    }

    private static func join(_ name: [UInt8], _ domain: [UInt8]) -> [UInt8] {
        if domain.isEmpty { return name }
        return name.isEmpty ? domain : name + [UInt8(ascii: ".")] + domain
    }
}
