import ByteText
import CClamAV

/// The error messages of libclamav, which has one callback for the whole process.
///
/// Some errors it tells in no other way: without room for temporary files a scan only says so, and ends
/// as clean. Not all messages come with the scan's context, so that they are kept here, and
/// scans in one process must follow each other.
enum Complaints {
    nonisolated(unsafe) private static var first: [UInt8] = []
    nonisolated(unsafe) private static var left: [UInt8]?

    /// Forget what was said, and keep what will be said.
    static func listen() {
        first = []
        left = nil
        cl_set_clcb_msg { severity, _, message, _ in
            guard let message else { return }
            let text = [UInt8](cString: message).trimmed
            if let reason = Complaints.meaning(of: text) {
                Complaints.left = Complaints.left ?? reason
            } else if severity == CL_MSG_ERROR, Complaints.first.isEmpty {
                Complaints.first = text
            }
        }
    }

    /// Why a part of the message was left out; nil for what is about the engine, and for warnings about files that are
    /// damaged and looked at all the same.
    private static func meaning(of text: [UInt8]) -> [UInt8]? {
        if text.range(of: "Partial message received") != nil {
            return [UInt8]("part of a message")
        }
        if text.range(of: "message/external-body") != nil { return [UInt8]("external body") }
        // An error, but of the file: it is the same each time that the sender tries.
        if text.range(of: "cli_scanxz: premature end") != nil
            || text.range(of: "cli_scanxz: decompress error") != nil
        {
            return [UInt8]("damaged xz file")
        }
        return nil
    }

    /// What was left out since `listen`, by libclamav's warnings; nil when nothing was.
    static var unscanned: [UInt8]? { left }

    /// The first error since `listen`, empty when there was none.
    static var text: [UInt8] { first }
}
