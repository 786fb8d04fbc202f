internal import ByteText
internal import CClamAV

/// The error messages of libclamav, which has one callback for the whole process.
///
/// Some errors it tells in no other way: without room for temporary files a scan only says so, and ends
/// as clean. Not all messages come with the scan's context, so that they are kept here, and
/// scans in one process must follow each other.
enum Complaints {
    nonisolated(unsafe) private static var first: [UInt8] = []

    /// Forget what was said, and keep what will be said.
    static func listen() {
        first = []
        cl_set_clcb_msg { severity, _, message, _ in
            guard severity == CL_MSG_ERROR, let message, Complaints.first.isEmpty else { return }
            Complaints.first = [UInt8](cString: message).trimmed
        }
    }

    /// The first error since `listen`, empty when there was none.
    static var text: [UInt8] { first }
}
