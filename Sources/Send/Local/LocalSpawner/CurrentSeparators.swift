import ByteText
import ControlFiles
import Posix

/// The bytes of control/userseparators as they are now, as each session of qmail-smtpd(8) reads them.
///
/// The file is read when it has changed; for that a look at it is enough.
final class CurrentSeparators {
    private let control: Control
    private let path: [UInt8]
    private var known: (version: FileVersion, bytes: [UInt8])?

    /// Those of control files; the file need not be there.
    init(_ control: Control) {
        self.control = control
        path = control.file("userseparators")
    }

    /// What may stand between a user's name and an extension now.
    func now() throws(Errno) -> [UInt8] {
        let version: FileVersion
        do throws(Errno) { version = try FileVersion(of: path) } catch {
            if error == .noSuchFile { return Self.usual }
            throw error
        }
        if let known, known.version == version, known.version.isSettled { return known.bytes }
        let bytes: [UInt8]
        do throws(ControlFailure) { bytes = try control.line("userseparators") ?? Self.usual } catch
        {
            if case .unreadable(_, let reason) = error { throw reason }
            throw .invalid
        }
        known = (version, bytes)
        return bytes
    }

    private static let usual = [UInt8(ascii: "-")]
}
