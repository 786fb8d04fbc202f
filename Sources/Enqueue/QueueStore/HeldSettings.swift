import ByteText
import Posix
import ScanPolicy
import ScanProtocol

/// The variables of scanning under which a message came, as its envelope in hold/ keeps them.
///
/// They are records of the tag `S`, a `NAME=value` each, and are there only when the caller chose them himself; the message
/// of anybody else is scanned by defaultqueue as it is at that time. A name alone is a variable that meant nothing: for it
/// defaultqueue counts, where the postmaster mends it.
struct HeldSettings {
    private let chosen: Environment
    /// Variables that meant nothing.
    private let malformed: [[UInt8]]

    static let tag = UInt8(ascii: "S")

    /// Keep what of a caller's own variables a later scan needs.
    init(keeping variables: Environment, _ settings: ScanSettings) {
        let malformed = settings.malformed.map { [UInt8]($0.variable) }
        self.malformed = malformed
        chosen = variables.filtered { entry in
            !malformed.contains(Self.name(entry)) && (Self.decides(entry) || Self.scans(entry))
        }
    }

    /// Read the settings that an envelope's records keep; nil when the caller chose none.
    init?(records: [UInt8]) {
        var chosen = Environment()
        var malformed: [[UInt8]] = []
        var isKept = false
        for record in records.split(separator: 0) where record.first == Self.tag {
            isKept = true
            let entry = Array(record.dropFirst())
            let name = Self.name(entry)
            if name.count < entry.count {
                chosen.set(name, Array(entry[(name.count + 1)...]))
            } else if !name.isEmpty {
                malformed.append(name)
            }
        }
        if !isKept { return nil }
        self.chosen = chosen
        self.malformed = malformed
    }

    /// The records for the envelope: one without a variable, and one for each.
    var records: [UInt8] {
        var records = [Self.tag, 0]
        for entry in chosen.entries + malformed { records += [Self.tag] + entry + [0] }
        return records
    }

    /// The settings of a later scan: the scanner of defaultqueue, which the postmaster can mend, where it has one, and what
    /// the caller's own say of the verdict.
    func over(_ defaults: Environment) -> Environment {
        if defaults["QHPSI"] == nil { return chosen }
        var settings = defaults.filtered {
            !Self.decides($0) || malformed.contains(Self.name($0))
        }
        for entry in chosen.entries where Self.decides(entry) {
            let name = Self.name(entry)
            settings.set(name, Array(entry[(name.count + 1)...]))
        }
        return settings
    }

    private static func name(_ entry: [UInt8]) -> [UInt8] {
        Array(entry.prefix { $0 != UInt8(ascii: "=") })
    }

    /// Whether a variable says what becomes of a message.
    private static func decides(_ entry: [UInt8]) -> Bool {
        entry.starts(with: "REJECTVIRUS=") || entry.starts(with: "VIRUSFORWARD=")
            || entry.starts(with: "QHPSIUNSCANNED=") || entry.starts(with: "QHPSIMINSIZE=")
            || entry.starts(with: "QHPSIMAXSIZE=")
    }

    /// Whether it is one of those that a scan gets.
    private static func scans(_ entry: [UInt8]) -> Bool {
        ScanVariables.contains(entry) && !entry.starts(with: "QHPSIRELEASED=")
            && !entry.starts(with: "QHPSIONERROR=")
    }
}
