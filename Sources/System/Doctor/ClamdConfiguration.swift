import AdminReport
import ByteText
import ControlFiles
import Posix

/// clamd.conf(5), as far as mail depends on it, with the defaults of ClamAV 1.4.
struct ClamdConfiguration {
    private let settings: [String: String]

    /// Read lines of a name and a value.
    init(_ text: [UInt8]) {
        var settings: [String: String] = [:]
        for line in text.lines {
            let words = line.words.map { String(printable: $0) }
            guard words.count >= 2, !words[0].hasPrefix("#") else { continue }
            settings[words[0]] = words[1]
        }
        self.settings = settings
    }

    func text(_ name: String) -> String? { settings[name] }

    func isOn(_ name: String) -> Bool {
        ["yes", "true", "1"].contains(settings[name]?.lowercased() ?? "no")
    }

    /// A number of bytes, with K, M or G after it or not; nil when it is none.
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
}

extension Machine {
    /// Where clamd's settings are: as the service clamd says, or Debian's place.
    var clamdConfigurationPath: String {
        let service = services.first { $0.name == "clamd" }
        let named = service.flatMap {
            SettingsSource(name: "clamd", folder: $0.path("variables")).text("CLAMD_CONF")
        }
        return named ?? "/etc/clamav/clamd.conf"
    }

    /// clamd's settings; nil when there are none on this machine.
    var clamdConfiguration: ClamdConfiguration? {
        do throws(Errno) {
            return ClamdConfiguration(try contents(clamdConfigurationPath))
        } catch {
            return nil
        }
    }
}
