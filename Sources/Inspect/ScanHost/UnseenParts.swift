import ByteText
import ClamdClient
import MessageStructure
import Posix
import ScanProtocol

/// What a scanner calls clean although it did not look at it.
///
/// It only takes the word clean away; it never gives it.
struct UnseenParts {
    private let settings: ScannerSettings
    private let environment: Environment
    private let root: [UInt8]

    /// For a scan that was made with these settings and variables in the instance below a folder.
    init(_ settings: ScannerSettings, _ environment: Environment, root: [UInt8]) {
        self.settings = settings
        self.environment = environment
        self.root = root
    }

    /// The verdict on a message after the scanner's own: the same unless that is clean.
    func judged(_ verdict: Verdict, _ message: borrowing FileDescriptor) -> Verdict {
        guard verdict == .clean else { return verdict }
        do throws(Errno) {
            let (findings, size) = try Self.read(message)
            guard let reason = reason(findings, size) else { return .clean }
            return .notScanned(reason: reason)
        } catch {
            return .failed(reason: [UInt8]("the message cannot be read: ") + error.text)
        }
    }

    /// What is read at once.
    private static let portion = 65536

    private static func read(
        _ message: borrowing FileDescriptor
    ) throws(Errno) -> (findings: StructureFindings, size: Int) {
        let size = try message.status().size
        var structure = MessageStructure()
        var buffer = [UInt8](repeating: 0, count: min(size, portion))
        var offset = 0
        while offset < size {
            let count = try message.read(into: &buffer, at: offset)
            if count == 0 { throw .inputOutput }
            structure.read(buffer.span.bytes.extracting(first: count))
            offset += count
        }
        structure.finish()
        return (structure.findings, size)
    }

    private func reason(_ findings: StructureFindings, _ size: Int) -> [UInt8]? {
        if let reason = findings.reason { return reason }
        if findings.hasRAR, !Self.hasUnrar { return [UInt8]("rar archive") }
        return limits(findings, size)?.reason(
            hasContainer: findings.hasContainer || findings.parts > 100, size: size,
            html: findings.largestHTML, isTrusted: settings.trustsClamd)
    }

    /// Those of ClamAV as it was asked; nil when another scanner was asked, or none of them can matter.
    private func limits(_ findings: StructureFindings, _ size: Int) -> ClamAVLimits? {
        guard findings.hasContainer || findings.parts > 100 || size > ClamAVLimits.harmlessSize
        else { return nil }
        switch settings.command {
        case .program(let words):
            let name = ScannerCommand.name(of: words[0])
            if name.equals("clamscan") { return ClamAVLimits(options: Array(words[1...])) }
            guard name.equals("clamdscan") else { return nil }
            return configuration(ClamAVLimits.configuration(in: Array(words[1...])))
        case .plugins(let names):
            let plugins = names.map { ScannerCommand.name(of: $0) }
            // It is told to say what it leaves out; the limit of HTML is its own.
            if plugins.contains(where: { $0.equals("libclamav.so") }) { return .ofLibclamav }
            guard plugins.contains(where: { $0.equals("clamd.so") }) else { return nil }
            return isRemote ? .unknown : configuration(nil)
        }
    }

    /// Whether some clamd is asked whose configuration is on another machine.
    private var isRemote: Bool {
        (environment["CLAMD_SOCKETS"] ?? []).words.contains { $0.starts(with: "tcp:") }
    }

    /// The configuration that clamd runs with, as an option or a variable names it.
    private func configuration(_ named: [UInt8]?) -> ClamAVLimits {
        let text = ClamdConfigurationFile.text(
            named: named ?? environment["CLAMD_CONF"], root: root)
        return text.map { ClamAVLimits(configuration: $0) } ?? .unknown
    }

    /// Whether libclamav finds its reader of RAR archives, which Debian has in non-free.
    private static var hasUnrar: Bool {
        do throws(Errno) {
            for folder in try Files.names(in: [UInt8]("/usr/lib"))
            where folder.range(of: "-linux-gnu") != nil {
                let names = try Files.names(in: [UInt8]("/usr/lib/") + folder)
                if names.contains(where: { $0.starts(with: "libclamunrar_iface.so") }) {
                    return true
                }
            }
        } catch {
            // A folder that cannot be read is no place where libclamav finds it.
        }
        return false
    }
}
