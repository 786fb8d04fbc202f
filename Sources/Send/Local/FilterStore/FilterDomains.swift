import ByteText
import ControlFiles

/// The domains whose mail this machine takes or delivers, which alone can have rules.
struct FilterDomains {
    private var names: [[UInt8]] = []

    /// Those of control/locals, or else control/me, of control/virtualdomains and of control/rcpthosts.
    init(_ control: Control) throws(ControlFailure) {
        if let locals = try control.lines("locals") {
            names += locals
        } else if let me = try control.line("me") {
            names.append(me)
        }
        names += try control.lines("rcpthosts") ?? []
        for line in try control.lines("virtualdomains") ?? [] {
            let key = Array(line.prefix { $0 != UInt8(ascii: ":") })
            // A line may be for one address of a domain.
            let at = key.lastIndex(of: UInt8(ascii: "@"))
            names.append(at.map { Array(key[($0 + 1)...]) } ?? key)
        }
        names = names.map { $0.lowercased }.filter { !$0.isEmpty }
    }

    /// Whether it is one of them, or below one that begins with a dot.
    func contains(_ domain: [UInt8]) -> Bool {
        names.contains { name in
            name == domain
                || name.first == UInt8(ascii: ".") && domain.count > name.count
                    && domain.suffix(name.count).elementsEqual(name)
        }
    }
}
