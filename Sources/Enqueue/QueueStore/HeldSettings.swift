import ByteText
import Posix

/// The variables of scanning under which a message came, as its envelope in hold/ keeps them.
///
/// They are records of the tag `S`, a `NAME=value` each, and are there only when the caller chose them himself; who
/// could not is scanned by defaultqueue as it then is.
struct HeldSettings {
    private let chosen: Environment

    static let tag = UInt8(ascii: "S")

    /// What of a caller's own variables is kept.
    init(keeping variables: Environment) {
        chosen = variables.filtered { entry in
            Self.decides(entry) || Self.scans(entry)
        }
    }

    /// What an envelope's records keep; nil when there are none: its caller chose nothing.
    init?(records: [UInt8]) {
        var chosen = Environment()
        var isKept = false
        for record in records.split(separator: 0) where record.first == Self.tag {
            isKept = true
            let entry = Array(record.dropFirst())
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")), equals > 0 else { continue }
            chosen.set(Array(entry[..<equals]), Array(entry[(equals + 1)...]))
        }
        if !isKept { return nil }
        self.chosen = chosen
    }

    /// The records for the envelope: one without a variable, and one for each.
    var records: [UInt8] {
        var records = [Self.tag, 0]
        for entry in chosen.entries { records += [Self.tag] + entry + [0] }
        return records
    }

    /// The settings of a later scan: the scanner of defaultqueue, which the postmaster can mend, where it has one, and what
    /// the caller's own say of the verdict.
    func over(_ defaults: Environment) -> Environment {
        if defaults["QHPSI"] == nil { return chosen }
        var settings = defaults.filtered { !Self.decides($0) }
        for entry in chosen.entries where Self.decides(entry) {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            settings.set(Array(entry[..<equals]), Array(entry[(equals + 1)...]))
        }
        return settings
    }

    /// Whether a variable says what becomes of a message.
    private static func decides(_ entry: [UInt8]) -> Bool {
        entry.starts(with: "REJECTVIRUS=") || entry.starts(with: "VIRUSFORWARD=")
            || entry.starts(with: "QHPSIUNSCANNED=") || entry.starts(with: "QHPSIMINSIZE=")
            || entry.starts(with: "QHPSIMAXSIZE=")
    }

    /// Whether it is one of those that a scan gets.
    private static func scans(_ entry: [UInt8]) -> Bool {
        ScannerRun.isPassedOn(entry) && !entry.starts(with: "QHPSIRELEASED=")
            && !entry.starts(with: "QHPSIONERROR=")
    }
}
