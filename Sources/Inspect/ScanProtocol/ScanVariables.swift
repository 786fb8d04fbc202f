import ByteText

/// The variables by which a scan is chosen and set; see qhpsi(8) and qmail-queue(8).
package enum ScanVariables {
    /// Whether a variable, `NAME=value`, is one of them.
    ///
    /// `QHPSI_ROOT` and others of that form are not: they say where an instance lives.
    package static func contains(_ entry: [UInt8]) -> Bool {
        entry.starts(with: "QHPSI") && !entry.starts(with: "QHPSI_")
            || entry.starts(with: "PLUGINDIR=") || entry.starts(with: "QUEUE_PLUGIN")
            || entry.starts(with: "CLAMD_") || entry.starts(with: "CLAMAV_")
            || entry.starts(with: "SCAN")
    }

    /// Whether the scanner itself gets one of them: of those of QHPSI only what its exit codes mean.
    package static func reachesScanner(_ entry: [UInt8]) -> Bool {
        contains(entry)
            && (!entry.starts(with: "QHPSI") || entry.starts(with: "QHPSIRC=")
                || entry.starts(with: "QHPSIRN="))
    }
}
