/// The variables that programs of mail's way into the queue read, and others that look like one of them.
enum KnownVariables {
    /// Those of qmail-smtpd(8), qmail-queue(8), qhpsi(8), the plugins, qhpsi-services(7) and tcp-environ(5).
    static let all: Set<String> = [
        "AUTHQHPSIONERROR", "AUTHREJECTVIRUS", "CHECKPASSWORD", "CHECKRECIPIENT",
        "CLAMAV_DATABASE", "CLAMAV_MAXFILES", "CLAMAV_MAXFILESIZE", "CLAMAV_MAXRECURSION",
        "CLAMAV_MAXSCANSIZE", "CLAMAV_MAXSCANTIME", "CLAMAV_TMPDIR", "CLAMD_CONF", "CLAMD_MODE",
        "CLAMD_RETRY", "CLAMD_SOCKETS", "CONTROLIMAGE", "DATABYTES", "DNSBL", "DNSCACHEIP",
        "DNSREWRITEFILE", "ERROR_FD", "FORCE_TLS", "GID", "GREETDELAY", "HOME", "LOCALDOMAIN",
        "LOCALIP", "MAXDAEMONS", "MAXPERIP", "MIN_FREE", "NOTLS", "PATH", "PLUGINDIR", "PORT",
        "PROTO", "QHPSI", "QHPSIALERTS", "QHPSIMAXSIZE", "QHPSIMEMORY", "QHPSIMINSIZE",
        "QHPSIONERROR", "QHPSIRC", "QHPSIRELEASED", "QHPSIRN", "QHPSITIMEOUT", "QHPSIUNSCANNED",
        "QHPSI_ROOT", "QMAILQUEUE", "QUEUEDIR", "QUEUE_BASE", "QUEUE_COUNT", "QUEUE_PLUGIN",
        "QUEUE_PLUGIN_SYMB", "QUEUE_START", "RBLSMTPD", "REJECTVIRUS", "RELAYCLIENT",
        "REQUIREAUTH", "SMTPS", "TARPITCOUNT", "TARPITDELAY", "TCPLOCALHOST", "TCPLOCALIP",
        "TCPLOCALPORT", "TCPREMOTEHOST", "TCPREMOTEINFO", "TCPREMOTEIP", "TCPREMOTEPORT",
        "TMPDIR", "UID", "VIRUSFORWARD", "XCLIENT",
    ]

    /// The variable that is meant by a name which no program reads; nil when it may well be another program's.
    static func meant(by name: String) -> String? {
        if all.contains(name) { return nil }
        let plain = normal(name)
        let known = all.sorted()
        if let same = known.first(where: { normal($0) == plain }) { return same }
        // Short names are like many others.
        guard plain.count > 6 else { return nil }
        let most = plain.count > 8 ? 2 : 1
        return known.first { $0.utf8.count > 6 && distance(normal($0), plain) <= most }
    }

    /// What is left when spelling does not count.
    private static func normal(_ name: String) -> [UInt8] {
        name.uppercased().utf8.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }
    }

    /// How many bytes must be changed, put in or left out to make one of the other.
    private static func distance(_ one: [UInt8], _ other: [UInt8]) -> Int {
        var row = Array(0...other.count)
        for (i, byte) in one.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, wanted) in other.enumerated() {
                let change = diagonal + (byte == wanted ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(change, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[other.count]
    }
}
