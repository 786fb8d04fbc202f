import AdminReport
import ByteText
import Posix
import SMTPSession
import ScanPolicy

/// Variables of a source whose values mean nothing to the program that reads them.
struct MalformedSettings {
    /// A variable, what it may be, and what its value does.
    struct Flaw {
        let variable: String
        let expected: String
        let effect: String
    }

    let flaws: [Flaw]

    /// Look at all that qmail-queue(8), qhpsi(8) and the plugins read as a number or a word.
    ///
    /// Mail of the machine's own users is for the postmaster to keep: it is queued as not scanned where what SMTP sends
    /// is put off.
    init(_ source: SettingsSource, isLocal: Bool) {
        let settings = ScanSettings(onError: isLocal ? .hold : .defer) { source.environment[$0] }
        let isKept = isLocal && settings.onError == .accept
        let put = "mail is put off with 451 until it is mended"
        let unscanned = isKept ? "mail is queued as not scanned, and infected mail refused" : put
        var flaws = settings.malformed.map {
            Flaw(variable: "\($0.variable)", expected: "\($0.expected)", effect: unscanned)
        }
        for (name, most) in Self.scanNumbers {
            guard let text = Self.value(name, source),
                text.decimalValue.map({ $0 > most }) ?? true
            else { continue }
            flaws.append(
                Flaw(
                    variable: name, expected: "a number of at most \(most)",
                    effect: isKept ? "every scan fails, and mail is queued as not scanned" : put))
        }
        if let word = Self.value("QHPSIALERTS", source), !word.equals("check"),
            !word.equals("trust")
        {
            flaws.append(
                Flaw(
                    variable: "QHPSIALERTS", expected: "check or trust",
                    effect: isKept ? "every scan fails, and mail is queued as not scanned" : put))
        }
        for name in Self.queueNumbers {
            guard let text = Self.value(name, source), text.decimalValue == nil else { continue }
            flaws.append(
                Flaw(
                    variable: name, expected: "a number in decimal digits",
                    effect: isKept ? "what is built in counts in its place" : put))
        }
        if !isLocal { flaws += Self.ofSessions(source) }
        self.flaws = flaws
    }

    /// What qmail-smtpd(8) and tcpserver(1) read.
    private static func ofSessions(_ source: SettingsSource) -> [Flaw] {
        var flaws: [Flaw] = []
        func add(_ name: String, _ expected: String, _ effect: String) {
            flaws.append(Flaw(variable: name, expected: expected, effect: effect))
        }
        for name in sessionNumbers {
            guard let text = value(name, source), text.decimalValue == nil else { continue }
            add(name, "a number in decimal digits", answers421)
        }
        if let text = value("DNSBL", source), !BlockLists.isSetting(text) {
            add("DNSBL", "options such as: -b -r list.example", answers421)
        }
        for name in ["MAXDAEMONS", "MAXPERIP"] {
            guard let text = value(name, source), (text.decimalValue ?? 0) == 0 else { continue }
            add(name, "a number of sessions", "tcpserver does not start: nobody is served")
        }
        return flaws
    }

    private static let answers421 = "qmail-smtpd answers 421 until it is mended"
    /// Numbers of a session.
    static let sessionNumbers = ["DATABYTES", "GREETDELAY", "TARPITCOUNT", "TARPITDELAY"]

    private static let scanNumbers = [
        ("QHPSIRC", 255), ("QHPSIRN", 255), ("QHPSIMEMORY", 1 << 40),
    ]
    private static let queueNumbers = ["MIN_FREE", "QUEUE_COUNT", "QUEUE_START"]

    private static func value(_ name: String, _ source: SettingsSource) -> [UInt8]? {
        guard let text = source.environment.value(of: Array(name.utf8))?.trimmed, !text.isEmpty
        else { return nil }
        return text
    }
}

extension Examination {
    /// Tell of each of them, with the file it is in.
    mutating func problems(_ malformed: MalformedSettings, of source: SettingsSource) {
        for flaw in malformed.flaws where source.decides(flaw.variable) {
            problem(
                "\(source.name): \(flaw.variable): expected \(flaw.expected), in \(source.file(flaw.variable))",
                why: flaw.effect, repair: source.unset(flaw.variable))
        }
    }
}
