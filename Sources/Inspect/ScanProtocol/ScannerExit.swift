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
        if code == infected { return Self.finding(in: output) }
        if code == clean { return .clean }
        var reason = [UInt8]("scanner exited with ")
        reason.append(decimal: code)
        if let line = output.lines.last(where: { !$0.trimmed.isEmpty }) {
            reason.append(": ")
            reason += line.trimmed
        }
        return .failed(reason: reason)
    }

    /// What a scanner found, by its output.
    ///
    /// clamscan and clamdscan write a line `…: NAME FOUND` for each finding. A virus wins over a limit or a
    /// password, in whatever order they come.
    ///
    /// - Returns: What the names mean (`Verdict.clamAVFound`); without such a line infected, with the first
    ///   line that has text, or `unknown`.
    package static func finding(in output: [UInt8]) -> Verdict {
        let lines = output.lines.map { $0.trimmed }.filter { !$0.isEmpty }
        var unscanned: Verdict?
        for line in lines {
            guard let name = name(in: line) else { continue }
            let meaning = Verdict.clamAVFound(name)
            if case .infected = meaning { return meaning }
            unscanned = unscanned ?? meaning
        }
        return unscanned ?? .infected(signature: lines.first ?? [UInt8]("unknown"))
    }

    /// The name in a line `…: NAME FOUND`.
    private static func name(in line: [UInt8]) -> [UInt8]? {
        let words = line.words
        guard words.count >= 2, words[words.count - 1].equals("FOUND"),
            words[words.count - 2].last != UInt8(ascii: ":")
        else { return nil }
        return words[words.count - 2]
    }
}
