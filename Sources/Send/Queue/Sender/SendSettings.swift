import ByteText
import ControlFiles
import QueueStore
import Routing
import Schedule

/// The control files of qmail-send(8), read when it starts and at SIGHUP.
struct SendSettings {
    let routing: Routing
    /// The most deliveries at once, by `Channel.rawValue`.
    let concurrency: [Int]
    /// Seconds after which a message is given up, and one without a sender.
    let queueLifetime: Int
    let bounceLifetime: Int
    let me: [UInt8]
    /// Who signs notices.
    let bounceFrom: [UInt8]
    /// Who gets notices that cannot be delivered; nil: nobody.
    let doubleBounceTo: [UInt8]?
    /// What to log of lines that mean nothing: they stop no mail but that of those whom they mean.
    let warnings: [[UInt8]]

    /// The most lines that are named.
    private static let warningLimit = 20
    private static let week = 604_800
    /// Longer ones are as good, and must not overflow when they are added to a time.
    private static let longestLifetime = 1 << 40
    /// The numbers of deliveries have two bytes, but a spawner takes 255 at most.
    private static let concurrencyLimit = 255

    init(_ control: Control) throws(ControlFailure) {
        guard let me = try control.line("me"), !me.isEmpty else {
            throw .malformed(
                path: control.file("me"), expected: "this host's name on its first line")
        }
        self.me = me
        routing = Routing(
            defaultHost: try Self.word(control, "envnoathost") ?? me,
            locals: try control.lines("locals") ?? [me],
            percentDomains: try control.lines("percenthack") ?? [],
            virtualDomains: try control.lines("virtualdomains") ?? [])
        concurrency = [
            min(try control.number("concurrencylocal") ?? 10, Self.concurrencyLimit),
            min(try control.number("concurrencyremote") ?? 20, Self.concurrencyLimit),
        ]
        queueLifetime = min(
            try control.number("queuelifetime") ?? Self.week, Self.longestLifetime)
        bounceLifetime = min(
            queueLifetime, try control.number("bouncelifetime") ?? queueLifetime)
        let host = try Self.word(control, "bouncehost") ?? me
        bounceFrom =
            (try Self.word(control, "bouncefrom") ?? [UInt8]("MAILER-DAEMON")) + [UInt8(ascii: "@")]
            + host
        let to = try control.line("doublebounceto") ?? []
        if to.first == UInt8(ascii: "@") {
            doubleBounceTo = nil
        } else {
            doubleBounceTo =
                (to.isEmpty ? [UInt8]("postmaster") : to) + [UInt8(ascii: "@")]
                + (try Self.word(control, "doublebouncehost") ?? me)
        }
        warnings = try Self.warnings(control)
    }

    /// Lines by which nobody's mail goes anywhere, in the words of qhpsictl(8)'s doctor.
    private static func warnings(_ control: Control) throws(ControlFailure) -> [[UInt8]] {
        let forms: [(name: StaticString, expected: StaticString, fits: ([UInt8]) -> Bool)] = [
            ("locals", "a domain", Routing.isHost), ("percenthack", "a domain", Routing.isHost),
            ("virtualdomains", "address:prefix", Routing.isVirtualDomain),
        ]
        var warnings: [[UInt8]] = []
        for form in forms {
            for line in try control.numberedLines(form.name) ?? [] where !form.fits(line.text) {
                if warnings.count == warningLimit {
                    return warnings + [[UInt8]("and more such lines; see qhpsictl doctor")]
                }
                warnings.append(control.flaw(form.name, line, expected: form.expected).text)
            }
        }
        return warnings
    }

    private static func word(
        _ control: Control, _ name: StaticString
    ) throws(ControlFailure) -> [UInt8]? {
        guard let line = try control.line(name), !line.isEmpty else { return nil }
        return line
    }
}
