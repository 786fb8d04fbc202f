import ByteText
import CScanPlugin
package import HostStart
package import Posix
package import ScanProtocol

/// One message's way through the plugins, in order, until one does not say clean.
package struct PluginRun {
    private let settings: PluginSettings
    /// The message's absolute path.
    private let path: [UInt8]
    private let deadline: Deadline

    /// For the message with an absolute path, before a deadline that the plugins are told.
    package init(_ settings: PluginSettings, path: [UInt8], deadline: Deadline) {
        self.settings = settings
        self.path = path
        self.deadline = deadline
    }

    /// Scan the message.
    ///
    /// Infected wins at once; a failure ends it. A plugin that could not look at all of the message
    /// is remembered, and the next ones may still find something.
    ///
    /// - Parameters:
    ///   - message: The message, opened for reading.
    ///   - files: The plugins' names in the folder.
    /// - Returns: The report, and the exit code that goes with it.
    package func scan(
        _ message: borrowing FileDescriptor, with files: [[UInt8]]
    ) -> (report: ScanReport, exit: HostExit) {
        guard !files.isEmpty else {
            return (Self.failed([UInt8]("no plugin is named")), .misconfigured)
        }
        var unscanned: ScanReport?
        var scanners: [UInt8] = []
        do throws(Errno) {
            let first = try message.status()
            for file in files {
                // A plugin is free to move the file's position, and must not give the next one another file.
                let status = try message.status()
                guard status.inode == first.inode, status.device == first.device else {
                    throw Errno.badDescriptor
                }
                try message.seek(to: 0)
                let report: ScanReport
                do throws(Plugin.Unusable) {
                    report = try Plugin(file, settings).scan(
                        description(message.rawValue, length: status.size), path: path)
                } catch {
                    return (Self.failed(error.reason, by: file), error.exit)
                }
                switch report.verdict {
                case .infected: return (report, .infected)
                case .failed: return (report, .failed)
                case .notScanned: unscanned = unscanned ?? report
                case .clean:
                    if !scanners.isEmpty { scanners.append(UInt8(ascii: "+")) }
                    scanners.append(contentsOf: report.scanner)
                }
            }
        } catch {
            return (Self.failed([UInt8]("the message cannot be read: ") + error.text), .failed)
        }
        if let unscanned { return (unscanned, .notScanned) }
        return (ScanReport(.clean, scanner: scanners), .clean)
    }

    private func description(_ descriptor: Int32, length: Int) -> qhpsi_message {
        var message = qhpsi_message()
        message.size = UInt32(MemoryLayout<qhpsi_message>.size)
        message.descriptor = descriptor
        message.length = UInt64(clamping: length)
        message.milliseconds = UInt32(clamping: deadline.remaining)
        return message
    }

    /// A failure of the host's own or of a plugin that cannot be used.
    package static func failed(_ reason: [UInt8], by scanner: [UInt8] = []) -> ScanReport {
        ScanReport(.failed(reason: reason), scanner: scanner)
    }
}
