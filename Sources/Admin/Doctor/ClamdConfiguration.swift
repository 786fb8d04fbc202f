import AdminReport
import ByteText
import ControlFiles
import Posix

/// clamd.conf(5), as far as mail depends on it, with the defaults of ClamAV 1.4.
struct ClamdConfiguration {
    private let settings: [String: String]
    /// Whether it is what the service clamd made for its clamd, which has read it and still runs.
    let isMade: Bool

    /// Read lines of a name and a value; of two with a name clamd takes the first.
    init(_ text: [UInt8], isMade: Bool) {
        self.isMade = isMade
        var settings: [String: String] = [:]
        for line in text.lines {
            let words = line.words.map { String(printable: $0) }
            guard words.count >= 2, !words[0].hasPrefix("#"), settings[words[0]] == nil
            else { continue }
            settings[words[0]] = words[1]
        }
        self.settings = settings
    }

    func text(_ name: String) -> String? { settings[name] }

    func isOn(_ name: String) -> Bool {
        ["yes", "true", "1"].contains(settings[name]?.lowercased() ?? "no")
    }

    /// A number of bytes, with K, M or G after it or not; nil when it is no number.
    ///
    /// 0 is no limit, which is `Int.max` here.
    func bytes(_ name: String, default value: Int) -> Int? {
        guard let text = settings[name] else { return value }
        var digits = Array(text.utf8)
        var unit = 1
        switch digits.last?.lowercased {
        case UInt8(ascii: "k"): unit = 1 << 10
        case UInt8(ascii: "m"): unit = 1 << 20
        case UInt8(ascii: "g"): unit = 1 << 30
        default: break
        }
        if unit > 1 { digits.removeLast() }
        guard let number = digits.decimalValue else { return nil }
        if number == 0 { return Int.max }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? Int.max : bytes
    }

    var user: String { settings["User"] ?? "clamav" }

    /// Whether it says what it did not look at because of a limit; the second name is an old one.
    var tellsOfLimits: Bool { isOn("AlertExceedsMax") || isOn("BlockMax") }

    /// Whether it says what it did not look at because it is encrypted.
    var tellsOfEncryption: Bool {
        isOn("AlertEncrypted") || isOn("ArchiveBlockEncrypted")
            || isOn("AlertEncryptedArchive") && isOn("AlertEncryptedDoc")
    }

    /// How many levels of files in files it opens; nil when that is no number.
    var levels: Int? {
        guard let text = settings["MaxRecursion"] else { return Self.defaultLevels }
        let number = Array(text.utf8).decimalValue
        return number == 0 ? Self.defaultLevels : number
    }
    private static let defaultLevels = 17
}

extension Machine {
    /// Where an admin sets clamd: as the service clamd says, or Debian's place.
    var clamdConfigurationPath: String {
        let service = services.first { $0.name == "clamd" }
        let named = service.flatMap {
            SettingsSource(name: "clamd", folder: $0.path("variables")).text("CLAMD_CONF")
        }
        return named ?? "/etc/clamav/clamd.conf"
    }

    /// What the service clamd makes of it; in force as long as clamd holds its lock.
    static var madeClamdConfigurationPath: String { "/run/qhpsi/clamd.conf" }

    /// clamd's settings in force; nil when there are none on this machine.
    var clamdConfiguration: ClamdConfiguration? {
        do throws(Errno) {
            if let made = try contentsIfLocked(Self.madeClamdConfigurationPath) {
                return ClamdConfiguration(made, isMade: true)
            }
        } catch {
            // It is missing, or for root and the scanner only.
        }
        do throws(Errno) {
            return ClamdConfiguration(try contents(clamdConfigurationPath), isMade: false)
        } catch {
            return nil
        }
    }

    /// A whole file; nil when nobody holds its lock.
    private func contentsIfLocked(_ path: String) throws(Errno) -> [UInt8]? {
        let file = try FileDescriptor.open(self.path(path), .readNonBlocking)
        guard try file.isLockedByAnother() else { return nil }
        return try file.readToEnd(limit: 1 << 22)
    }
}
