import ByteText
package import ControlFiles
package import Posix
package import RemoteDialogue

/// How the programs that deliver to other machines tell what became of it; see qmail-remote(8).
package enum RemoteReporting {
    /// The exit code for arguments that are too few; the report says so, too.
    package static var misused: Int32 {
        let report = RemoteReport(
            .refused, [UInt8]("qmail-remote wants a host, a sender and a recipient (#5.3.5)"))
        FileDescriptor.tell(report.encoded, on: 1)
        return 100
    }

    /// Write the report to descriptor 1.
    ///
    /// - Returns: The exit code: 0, or 111 when nobody takes the report.
    package static func write(_ report: RemoteReport) -> Int32 {
        FileDescriptor.tell(report.encoded, on: 1) ? 0 : 111
    }

    /// The report when the message cannot be read.
    package static func unreadable(_ reason: Errno) -> RemoteReport {
        RemoteReport(
            .putOff, [UInt8]("unable to read the message: ") + reason.text + [UInt8](" (#4.3.0)"))
    }

    /// The report when the settings cannot be used.
    package static func unsettled(_ failure: ControlFailure) -> RemoteReport {
        RemoteReport(.putOff, failure.text + [UInt8](" (#4.3.5)"))
    }
}
