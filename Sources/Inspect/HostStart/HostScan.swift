import ByteText
package import Posix
package import ScanProtocol

/// A scan of the message on descriptor 0 whose report goes to descriptor 1.
package enum HostScan {
    /// Scan and report.
    ///
    /// When the one who waits for the report is gone, SIGALRM ends the process after the deadline.
    ///
    /// - Parameters:
    ///   - milliseconds: How long it may take.
    ///   - prints: Whether the scan may print; what it prints goes to descriptor 2.
    ///   - scan: The scan itself, of the message and until a deadline.
    /// - Returns: What the scan said, or that the report could not be written.
    package static func run(
        milliseconds: Int, prints: Bool = true,
        _ scan: (borrowing FileDescriptor, Deadline) -> (report: ScanReport, exit: HostExit)
    ) -> HostExit {
        Alarm.set(seconds: UInt32(clamping: milliseconds / 1000 + 1))
        do throws(Errno) {
            let output = prints ? try reserveOutput() : FileDescriptor(adopting: 1)
            let message = FileDescriptor(adopting: 0)
            let (report, exit) = scan(message, Deadline(milliseconds: milliseconds))
            try output.write(report.encoded)
            return exit
        } catch {
            complain([UInt8]("unable to report: ") + error.text)
            return .failed
        }
    }

    /// Keep the report's descriptor for the host alone.
    private static func reserveOutput() throws(Errno) -> FileDescriptor {
        let standardOutput = FileDescriptor(adopting: 1)
        let output = try standardOutput.duplicate()
        let standardError = FileDescriptor(adopting: 2)
        try standardError.duplicate(to: standardOutput.release())
        _ = standardError.release()
        return output
    }

    /// Say on descriptor 2 why there is no report.
    package static func complain(_ text: [UInt8]) {
        // When even that cannot be written, the exit code still says it.
        FileDescriptor.tell([UInt8]("qhpsi-host: fatal: ") + text + [UInt8]("\n"), on: 2)
    }
}
