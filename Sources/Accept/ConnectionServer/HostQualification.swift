import ByteText
import Posix

/// Makes the names of hosts that are asked for out of what was typed, by rules: a short name gets a domain.
///
/// The rules are those of ucspi-tcp: a kind, a suffix that is looked for, a colon, and what takes its place.
struct HostQualification {
    let rules: [[UInt8]]

    /// These rules, in order.
    init(rules: [[UInt8]]) { self.rules = rules }

    /// A short name gets each of the domains in turn, and a last dot goes.
    init(domains: [[UInt8]]) {
        var rule = [UInt8]("?:")
        for domain in domains { rule += [UInt8]("+.") + domain }
        rules = [rule, [UInt8]("*.:")]
    }

    /// The rules of this machine.
    ///
    /// They stand in the file DNSREWRITEFILE names, or in /etc/dnsrewrite; else the domains are those of
    /// LOCALDOMAIN, of resolv.conf(5), or that of the host's own name.
    init(_ environment: Environment, hostName: [UInt8]) throws(Errno) {
        let file = environment["DNSREWRITEFILE"] ?? [UInt8]("/etc/dnsrewrite")
        if let text = try Self.contents(file) {
            self.init(
                rules: text.lines.map { line in
                    Array(line[..<((line.lastIndex { !$0.isBlank } ?? -1) + 1)])
                })
        } else if let domains = environment["LOCALDOMAIN"] {
            self.init(
                domains: domains.split(separator: 32, omittingEmptySubsequences: false).map {
                    Array($0)
                })
        } else if let domains = Self.domains(try Self.contents([UInt8]("/etc/resolv.conf")) ?? []) {
            self.init(domains: domains)
        } else if let dot = hostName.firstIndex(of: UInt8(ascii: ".")) {
            self.init(rules: [[UInt8]("?:") + hostName[dot...], [UInt8]("*.:")])
        } else {
            self.init(rules: [[UInt8]("*.:")])
        }
    }

    /// What resolv.conf(5) has in its first line `search` or `domain`, nil without one.
    private static func domains(_ text: [UInt8]) -> [[UInt8]]? {
        for line in text.lines {
            let words = line.words
            guard let first = words.first, first.equals("search") || first.equals("domain") else {
                continue
            }
            return Array(words.dropFirst())
        }
        return nil
    }

    private static func contents(_ file: [UInt8]) throws(Errno) -> [UInt8]? {
        do throws(Errno) { return try Files.contents(file) } catch {
            if error == .noSuchFile { return nil }
            throw error
        }
    }

    /// The names to ask for, in order, until one has an address.
    func names(_ typed: [UInt8]) -> [[UInt8]] {
        var name = typed
        for rule in rules { Self.apply(rule[...], to: &name) }
        let parts = name.split(separator: UInt8(ascii: "+"), omittingEmptySubsequences: false)
        guard parts.count > 1, let stem = parts.first else { return [name] }
        return parts.dropFirst().map { Array(stem + $0) }
    }

    private static func apply(_ rule: ArraySlice<UInt8>, to name: inout [UInt8]) {
        guard let kind = rule.first, let colon = rule.dropFirst().firstIndex(of: UInt8(ascii: ":"))
        else { return }
        let suffix = Array(rule[(rule.startIndex + 1)..<colon])
        guard name.count >= suffix.count else { return }
        let stem = name.prefix(name.count - suffix.count)
        guard Array(name[stem.endIndex...]).lowercased == suffix.lowercased else { return }
        let isShort = !stem.contains { $0 == 46 || $0 == 91 || $0 == 93 }  // "." "[" "]"
        switch kind {
        case UInt8(ascii: "*"): name = Array(stem)
        case UInt8(ascii: "=") where stem.isEmpty: name = []
        case UInt8(ascii: "?") where isShort: name = Array(stem)
        case UInt8(ascii: "-"): name = []
        default: return
        }
        name += rule[(colon + 1)...]
    }
}
