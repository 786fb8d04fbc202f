import ByteText

/// How a scanner program's or old plugin's exit code is understood: QHPSIRC and QHPSIRN.
package struct ScannerExit: Equatable, Sendable {
    /// QHPSIRC.
    package var infected: Int32 = 1
    /// QHPSIRN.
    package var clean: Int32 = 0

    package init() {}

    /// The verdict of a program that ended by itself.
    ///
    /// - Parameters:
    ///   - code: Its exit code; `infected` is looked at first.
    ///   - output: What it wrote, descriptor 1 and 2, as far as it was kept.
    /// - Returns: The verdict; a code that is neither is `failed`, with the code and the last line of output.
    package func verdict(code: Int32, output: [UInt8]) -> Verdict {
        if code == infected { return .infected(signature: Self.signature(in: output)) }
        if code == clean { return .clean }
        var reason = [UInt8]("scanner exited with ")
        reason.append(decimal: code)
        if let line = output.lines.last(where: { !$0.trimmed.isEmpty }) {
            reason.append(": ")
            reason += line.trimmed
        }
        return .failed(reason: reason)
    }

    /// The signature's name in a scanner's output.
    ///
    /// - Returns: From the first line of the form `…: NAME FOUND`, as clamscan and clamdscan write it; else
    ///   the first line with text; else `unknown`.
    package static func signature(in output: [UInt8]) -> [UInt8] {
        let lines = output.lines.map { $0.trimmed }.filter { !$0.isEmpty }
        for line in lines {
            let words = line.words
            guard words.count >= 2, words[words.count - 1].equals("FOUND") else { continue }
            let name = words[words.count - 2]
            if name.last != UInt8(ascii: ":") { return name }
        }
        return lines.first ?? [UInt8]("unknown")
    }
}
