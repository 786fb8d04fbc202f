import ByteText

extension Verdict {
    /// What ClamAV's finding means.
    ///
    /// Under some names ClamAV reports that it did not look at all of the message rather than that it
    /// found something.
    ///
    /// - Parameter name: The signature's name.
    /// - Returns: Infected for all other names.
    package static func clamAVFound(_ name: [UInt8]) -> Verdict {
        if name.starts(with: "Heuristics.Limits.Exceeded") {
            let limit = name.dropFirst(27)
            return .notScanned(
                reason: [UInt8]("exceeds ") + (limit.isEmpty ? [UInt8]("a limit") : Array(limit)))
        }
        if name.starts(with: "Heuristics.Encrypted") {
            return .notScanned(reason: [UInt8]("encrypted"))
        }
        return .infected(signature: name)
    }
}
