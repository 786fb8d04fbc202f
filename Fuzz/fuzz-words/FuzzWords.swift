import ScanPolicy
import ScanProtocol

/// QHPSI's words, a scanner's output and the settings: any text has a meaning or a clear error.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzWords(_ data: UnsafePointer<UInt8>, _ size: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    do throws(ScannerCommand.Failure) {
        switch try ScannerCommand(bytes) {
        case .program(let words):
            guard let program = words.first, !program.isEmpty,
                words.reduce(0, { $0 + $1.count }) <= size
            else { fatalError("words out of nothing") }
            let arguments = ScannerCommand.arguments(words, path: Array("/p".utf8))
            // ClamAV's --quiet is left out.
            guard arguments.first == program, arguments.count <= max(2, words.count) else {
                fatalError("arguments are not the words")
            }
        case .plugins(let names):
            if names.isEmpty || names.contains([]) { fatalError("a plugin without a name") }
        }
    } catch {
        if error.text.isEmpty { fatalError("an error without words") }
    }
    for code in [Int32(0), 1, 2] {
        let verdict = ScannerExit().verdict(code: code, output: bytes)
        let header = ScanPolicy.header(verdict)
        let lines = header.split(separator: 10, omittingEmptySubsequences: false)
        guard header.last == 10, lines.dropLast().allSatisfy({ $0.starts(with: "X-QHPSI".utf8) }),
            header.allSatisfy({ $0 >= 32 && $0 < 127 || $0 == 10 })
        else { fatalError("a scanner's output can write header lines") }
    }
    let settings = ScanSettings { _ in bytes }
    for flaw in settings.malformed where flaw.reason.isEmpty { fatalError("a flaw without words") }
    if !settings.malformed.isEmpty,
        ScanPolicy.underMalformed(.clean, settings, reason: bytes) == .clean
    {
        fatalError("a malformed setting that makes mail clean")
    }
    return 0
}
