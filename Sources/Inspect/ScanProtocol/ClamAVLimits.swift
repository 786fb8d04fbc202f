import ByteText

/// How far ClamAV looks into a message, and whether it says so where it stops; clamd.conf(5), clamscan(1).
package struct ClamAVLimits: Equatable, Sendable {
    /// Whether AlertExceedsMax is on.
    package private(set) var tellsLimits = false
    /// Whether AlertEncrypted is on.
    package private(set) var tellsEncryption = false
    /// The smaller one of MaxFileSize and MaxScanSize, bytes.
    package private(set) var size = 25 << 20
    /// MaxHTMLNormalize, bytes.
    package private(set) var html = 10 << 20
    /// A kind of file that is not looked into, as the option that says so; empty: none.
    package private(set) var leftOut: [UInt8] = []
    private var isKnown = true

    /// A message of this size without containers is below every limit that is in use.
    package static let harmlessSize = 1 << 20

    /// Of a clamd whose configuration cannot be read: Debian's limits, and nothing is told.
    package static var unknown: ClamAVLimits {
        var limits = ClamAVLimits()
        limits.isKnown = false
        return limits
    }

    /// Of the plugin libclamav.so.
    package static var ofLibclamav: ClamAVLimits {
        var limits = ClamAVLimits()
        limits.tellsLimits = true
        limits.tellsEncryption = true
        limits.html = 40 << 20
        return limits
    }

    private init() {}

    /// Of a clamd with this configuration.
    package init(configuration text: [UInt8]) {
        self.init(
            text.lines.compactMap { line in
                let words = line.words
                guard words.count > 1, line.first != UInt8(ascii: "#") else { return nil }
                return Setting(name: words[0].lowercased, value: words[1].lowercased)
            })
    }

    /// Of clamscan with these options.
    package init(options: [[UInt8]]) {
        self.init(
            options.compactMap { word in
                guard word.starts(with: "--") else { return nil }
                let parts = word.dropFirst(2).split(
                    separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
                let name = parts[0].filter { $0 != UInt8(ascii: "-") }.map { $0.lowercased }
                return Setting(
                    name: name, value: parts.count > 1 ? Array(parts[1]).lowercased : [UInt8]("yes")
                )
            })
    }

    private struct Setting {
        let name: [UInt8]
        let value: [UInt8]
    }

    private init(_ settings: [Setting]) {
        func isOn(_ name: StaticString, default value: Bool = false) -> Bool {
            let given = settings.filter { $0.name.equals(name) }.map { $0.value }
            guard !given.isEmpty else { return value }
            return given.allSatisfy { $0.equals("yes") || $0.equals("true") || $0.equals("1") }
        }
        func bytes(_ name: StaticString, default value: Int) -> Int {
            settings.filter { $0.name.equals(name) }.map { Self.bytes($0.value) }.min() ?? value
        }
        tellsLimits =
            isOn("alertexceedsmax") || isOn("blockmax") || isOn("archiveblockmax")
        tellsEncryption =
            isOn("alertencrypted") || isOn("archiveblockencrypted") || isOn("blockencrypted")
            || isOn("alertencryptedarchive") && isOn("alertencrypteddoc")
        size = min(
            bytes("maxfilesize", default: 100 << 20), bytes("maxscansize", default: 400 << 20))
        html = bytes("maxhtmlnormalize", default: 40 << 20)
        for name: StaticString in ["ScanMail", "ScanArchive", "ScanOLE2", "ScanPDF", "ScanHTML"]
        where !Self.isOn(name, settings) {
            leftOut = [UInt8](name)
        }
    }

    private static func isOn(_ name: StaticString, _ settings: [Setting]) -> Bool {
        let wanted = [UInt8](name).lowercased
        return settings.allSatisfy { setting in
            setting.name != wanted
                || setting.value.equals("yes") || setting.value.equals("true")
                || setting.value.equals("1")
        }
    }

    /// A size with K, M or G behind it or not; 0 is without limit, and what is no size is no known limit: 0.
    private static func bytes(_ text: [UInt8]) -> Int {
        var shift = 0
        switch text.last {
        case UInt8(ascii: "k"): shift = 10
        case UInt8(ascii: "m"): shift = 20
        case UInt8(ascii: "g"): shift = 30
        default: break
        }
        guard let number = Array(text.dropLast(shift > 0 ? 1 : 0)).decimalValue,
            number < 1 << 32
        else { return 0 }
        return number == 0 ? Int.max : number << shift
    }

    /// The configuration file that options of clamdscan name; nil when they name none.
    package static func configuration(in options: [[UInt8]]) -> [UInt8]? {
        var named: [UInt8]?
        for (i, word) in options.enumerated() {
            if word.starts(with: "--config-file=") {
                named = Array(word.dropFirst(14))
            } else if word.equals("--config-file") || word.equals("-c") {
                named = i + 1 < options.count ? options[i + 1] : nil
            } else if word.starts(with: "-c") {
                named = Array(word.dropFirst(2))
            }
        }
        return named
    }

    /// What ClamAV did not look at although it found nothing.
    ///
    /// - Parameters:
    ///   - hasContainer: Whether the message has anything in which limits or a password hide something.
    ///   - size: Its bytes.
    ///   - html: The bytes of its largest HTML part.
    ///   - isTrusted: Whether it counts as told to say what it leaves out.
    /// - Returns: Nil when it looked at all of it.
    package func reason(hasContainer: Bool, size: Int, html: Int, isTrusted: Bool) -> [UInt8]? {
        if html > self.html { return [UInt8]("exceeds MaxHTMLNormalize") }
        if isTrusted { return nil }
        if size > self.size, !tellsLimits { return [UInt8]("exceeds clamd's limits") }
        guard hasContainer else { return nil }
        guard isKnown else { return [UInt8]("clamd's configuration is not known") }
        if !leftOut.isEmpty { return [UInt8]("ClamAV runs with ") + leftOut + [UInt8](" off") }
        switch (tellsLimits, tellsEncryption) {
        case (true, true): return nil
        case (true, false): return [UInt8]("ClamAV runs without AlertEncrypted")
        case (false, true): return [UInt8]("ClamAV runs without AlertExceedsMax")
        case (false, false):
            return [UInt8]("ClamAV runs without AlertExceedsMax and AlertEncrypted")
        }
    }
}
